package dev.peerlane.emulator.bus;

import java.util.function.BooleanSupplier;

/** The time in which packets travel, as those see it who send them. */
public interface BusTime {
    /** Returns the time. */
    long nanoTime();

    /** Lets time pass until something has happened. */
    void pass(BooleanSupplier done);
}
