package dev.peerlane.copy.engine;

import java.lang.management.ManagementFactory;

/** The processor time of the calling thread. */
public final class CpuTime {
    private CpuTime() {}

    /** Returns the processor time that the thread has used, in nanoseconds. */
    public static long nanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
