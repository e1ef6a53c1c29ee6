package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.vfio.VfioAbi.IrqInfo;
import dev.peerlane.vfio.VfioAbi.IrqSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The MSI-X vectors of a device, each with an event counter: an alternative to polling where
 * latency matters less than CPU time. Only the thread that owns the fabric may use them.
 */
public final class Interrupts implements AutoCloseable {
    /** Longest single wait in the kernel, so that a deadline is met. */
    private static final int SLICE_MILLIS = 10;

    private static final int MAX_VECTORS = 2048; // MSI-X table size, PCI 3.0, 6.8.2.3
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final OwnerThread thread = new OwnerThread();
    private final Kernel kernel;
    private final Clock clock;
    private final String locator;
    private final int deviceFd;
    private final List<Integer> events = new ArrayList<>();
    private boolean enabled;
    private boolean closed;

    private Interrupts(Kernel kernel, Clock clock, String locator, int deviceFd) {
        this.kernel = kernel;
        this.clock = clock;
        this.locator = locator;
        this.deviceFd = deviceFd;
    }

    static Interrupts enable(Kernel kernel, Clock clock, String locator, int fd, int vectors) {
        Interrupts interrupts = new Interrupts(kernel, clock, locator, fd);
        try {
            interrupts.start(vectors);
            return interrupts;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(interrupts::close).finish(e);
            throw e;
        }
    }

    private void start(int vectors) {
        if (vectors < 1 || vectors > MAX_VECTORS) {
            throw new IllegalArgumentException(vectors + " interrupt vectors");
        }
        int there = available();
        if (vectors > there) {
            throw PeerlaneException.machine(
                    "too-few-interrupts",
                    "%s has %d MSI-X vectors, not %d".formatted(locator, there, vectors),
                    "Ask for fewer, or poll");
        }
        for (int i = 0; i < vectors; i++) {
            long event = kernel.eventfd(0, Kernel.EFD_NONBLOCK | Kernel.EFD_CLOEXEC);
            events.add((int) check(event, "eventfd"));
        }
        try (Arena arena = Arena.ofConfined()) {
            int bytes = IrqSet.DATA + 4 * vectors;
            MemorySegment set = arena.allocate(bytes, 8);
            set.set(JAVA_INT, VfioAbi.ARGSZ, bytes);
            set.set(JAVA_INT, VfioAbi.FLAGS, IrqSet.DATA_EVENTFD | IrqSet.ACTION_TRIGGER);
            set.set(JAVA_INT, IrqSet.INDEX, IrqInfo.MSIX);
            set.set(JAVA_INT, IrqSet.COUNT, vectors);
            for (int i = 0; i < vectors; i++) {
                set.set(JAVA_INT, IrqSet.DATA + 4L * i, events.get(i));
            }
            check(
                    kernel.ioctl(deviceFd, VfioAbi.DEVICE_SET_IRQS, set),
                    VfioAbi.DEVICE_SET_IRQS.name());
            enabled = true;
        }
    }

    private int available() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(IrqInfo.BYTES, 8);
            info.set(JAVA_INT, VfioAbi.ARGSZ, IrqInfo.BYTES);
            info.set(JAVA_INT, IrqInfo.INDEX, IrqInfo.MSIX);
            check(
                    kernel.ioctl(deviceFd, VfioAbi.DEVICE_GET_IRQ_INFO, info),
                    VfioAbi.DEVICE_GET_IRQ_INFO.name());
            boolean usable = (info.get(JAVA_INT, VfioAbi.FLAGS) & IrqInfo.EVENTFD) != 0;
            return usable ? info.get(JAVA_INT, IrqInfo.COUNT) : 0;
        }
    }

    /** Returns the number of enabled vectors. */
    public int vectors() {
        return events.size();
    }

    /**
     * Waits until a vector fires, or returns at once if it has fired since the last wait for it.
     *
     * @param timeoutNanos the longest wait in nanoseconds; 0 polls once
     * @return whether the vector fired
     * @throws PeerlaneException if a system call fails
     */
    public boolean await(int vector, long timeoutNanos) {
        checkThread();
        if (closed) {
            throw new IllegalStateException("the interrupts of " + locator + " are closed");
        }
        int event = events.get(vector);
        long end = clock.nanoTime() + timeoutNanos;
        return clock.await(
                () -> {
                    long left = (end - clock.nanoTime()) / NANOS_PER_MILLI;
                    int millis = Math.clamp(left, 0, SLICE_MILLIS);
                    return check(kernel.pollIn(event, millis), "poll") > 0 && take(event);
                },
                timeoutNanos);
    }

    private boolean take(int event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment counter = arena.allocate(JAVA_LONG);
            long read = kernel.read(event, counter);
            return read != -Errno.EAGAIN && check(read, "read") == JAVA_LONG.byteSize();
        }
    }

    /** Disables the vectors and closes their counters. Closing again has no effect. */
    @Override
    public void close() {
        checkThread();
        if (closed) {
            return;
        }
        closed = true;
        Cleanup cleanup = new MemoryCleanup();
        if (enabled) {
            cleanup.step(this::disable);
        }
        for (int event : events) {
            cleanup.step(() -> KernelException.close(kernel, event, "an interrupt of " + locator));
        }
        cleanup.finish();
    }

    private void disable() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(IrqSet.DATA, 8);
            set.set(JAVA_INT, VfioAbi.ARGSZ, IrqSet.DATA);
            set.set(JAVA_INT, VfioAbi.FLAGS, IrqSet.DATA_NONE | IrqSet.ACTION_TRIGGER);
            set.set(JAVA_INT, IrqSet.INDEX, IrqInfo.MSIX);
            check(
                    kernel.ioctl(deviceFd, VfioAbi.DEVICE_SET_IRQS, set),
                    VfioAbi.DEVICE_SET_IRQS.name());
        }
    }

    private void checkThread() {
        thread.check("the interrupts of " + locator);
    }

    private long check(long result, String call) {
        return KernelException.check(
                result,
                "interrupts-failed",
                call,
                "the interrupts of " + locator,
                "Poll instead, which is the default");
    }
}
