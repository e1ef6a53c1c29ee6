/** Loads on one way between a device and a memory, and counts of stale hand-offs. */
@SuppressWarnings("requires-automatic") // HdrHistogram names no module
module dev.peerlane.measure {
    requires transitive dev.peerlane;
    requires java.management;
    requires HdrHistogram;

    exports dev.peerlane.measure;
}
