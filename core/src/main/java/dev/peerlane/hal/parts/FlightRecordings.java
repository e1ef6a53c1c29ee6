package dev.peerlane.hal.parts;

import jdk.jfr.FlightRecorder;

/**
 * Tells whether flight recordings may want events. Asked before a class of an event is touched: it
 * can't be loaded where the Java runtime has no module {@code jdk.jfr}.
 */
public final class FlightRecordings {
    private static final boolean POSSIBLE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private FlightRecordings() {}

    /** Returns whether somebody may record. */
    public static boolean areOn() {
        return POSSIBLE && FlightRecorder.isInitialized();
    }
}
