package dev.peerlane.hal.parts;

import jdk.jfr.FlightRecorder;

/**
 * Tells whether a flight recording may want events. Callers ask this before they touch an event
 * class, because such a class can't be loaded if the Java runtime lacks the module {@code jdk.jfr}.
 */
public final class FlightRecordings {
    private static final boolean POSSIBLE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private FlightRecordings() {}

    /** Returns whether a recording may be running. */
    public static boolean areOn() {
        return POSSIBLE && FlightRecorder.isInitialized();
    }
}
