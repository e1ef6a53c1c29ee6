package dev.peerlane.emulator;

import java.util.function.BooleanSupplier;

/** The time in which packets travel, as those see it who send them. */
interface BusTime {
    /** Returns the time. */
    long nanoTime();

    /** Lets time pass until something has happened. */
    void pass(BooleanSupplier done);
}
