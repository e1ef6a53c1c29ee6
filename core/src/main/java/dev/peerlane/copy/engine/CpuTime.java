package dev.peerlane.copy.engine;

import java.lang.management.ManagementFactory;

/** The processor time of the calling thread. */
public final class CpuTime {
    private CpuTime() {}

    /** Returns how long the thread has been on a processor, in nanoseconds. */
    public static long nanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
