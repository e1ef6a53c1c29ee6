/** Measures loads between devices and memories, benches of them, and stale hand-offs. */
@SuppressWarnings("requires-automatic") // HdrHistogram names no module
module dev.peerlane.measure {
    requires transitive dev.peerlane;
    requires java.management;
    requires HdrHistogram;

    exports dev.peerlane.measure;
}
