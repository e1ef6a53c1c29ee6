package dev.peerlane.emulator.bus;

import java.util.function.BooleanSupplier;

/** The clock as senders of packets see it. */
public interface BusTime {
    /** Returns the present time in nanoseconds. */
    long nanoTime();

    /** Lets time pass until a condition holds. */
    void pass(BooleanSupplier done);
}
