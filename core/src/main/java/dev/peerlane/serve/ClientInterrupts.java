package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.EventCounter;
import dev.peerlane.vfiouser.Protocol;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The eventfds that a client assigned to MSI-X vectors. As with VFIO in the kernel, a vector with
 * an eventfd is unmasked in the table and one without is masked. MSI-X itself is on while the
 * client has MSI-X Enable set in the configuration space.
 */
final class ClientInterrupts implements AutoCloseable {
    private final EmulatedController controller;
    private final @Nullable EventCounter[] events;

    ClientInterrupts(EmulatedController controller) {
        this.controller = controller;
        this.events = new EventCounter[controller.interruptVectors()];
        controller.interruptReceiver(this::signal);
    }

    /** Returns the number of interrupts of a kind. */
    int count(int kind) {
        return kind == Protocol.IRQ_MSIX ? events.length : 0;
    }

    /**
     * Carries out a DEVICE_SET_IRQS request, either completely or not at all.
     *
     * @param body the request's body
     * @param passed the descriptors that came with it; each one that is kept is replaced by -1
     * @return 0, or a negative error number
     */
    long set(MemorySegment body, int[] passed) {
        if (body.byteSize() < Protocol.SET_IRQS_BYTES) {
            return -Errno.EINVAL;
        }
        int flags = body.get(JAVA_INT_UNALIGNED, 4);
        int kind = body.get(JAVA_INT_UNALIGNED, 8);
        int start = body.get(JAVA_INT_UNALIGNED, 12);
        int count = body.get(JAVA_INT_UNALIGNED, 16);
        int data = flags & 7;
        int action = flags & ~7;
        boolean known = kind >= 0 && kind < Protocol.INTERRUPT_KINDS;
        if (!known
                || start < 0
                || count < 0
                || count > count(kind) - Math.min(start, count(kind))) {
            return -Errno.EINVAL;
        }
        if (data != Protocol.IRQ_DATA_EVENTFD && passed.length > 0) {
            return -Errno.EINVAL;
        }
        if (count == 0) {
            return off(kind, data, action, start, passed.length);
        }
        return switch (data) {
            case Protocol.IRQ_DATA_NONE -> act(action, start, count, null);
            case Protocol.IRQ_DATA_BOOL ->
                    body.byteSize() - Protocol.SET_IRQS_BYTES < count
                            ? -Errno.EINVAL
                            : act(
                                    action,
                                    start,
                                    count,
                                    body.asSlice(Protocol.SET_IRQS_BYTES, count));
            case Protocol.IRQ_DATA_EVENTFD ->
                    action == Protocol.IRQ_TRIGGER ? assign(start, count, passed) : -Errno.EINVAL;
            default -> -Errno.EINVAL;
        };
    }

    /** Turns off all vectors of a kind: a request with no vectors and no data. */
    private long off(int kind, int data, int action, int start, int passed) {
        boolean all = data == Protocol.IRQ_DATA_NONE && action == Protocol.IRQ_TRIGGER;
        if (!all || start != 0 || passed != 0) {
            return -Errno.EINVAL;
        }
        for (int vector = 0; vector < count(kind); vector++) {
            put(vector, null);
        }
        return 0;
    }

    private long act(int action, int start, int count, @Nullable MemorySegment chosen) {
        boolean known =
                action == Protocol.IRQ_MASK
                        || action == Protocol.IRQ_UNMASK
                        || action == Protocol.IRQ_TRIGGER;
        if (!known) {
            return -Errno.EINVAL;
        }
        for (int i = 0; i < count; i++) {
            if (chosen != null && chosen.get(JAVA_BYTE, i) == 0) {
                continue;
            }
            int vector = start + i;
            if (action == Protocol.IRQ_TRIGGER) {
                signal(vector);
            } else if (events[vector] != null) {
                controller.maskInterrupt(vector, action == Protocol.IRQ_MASK);
            }
        }
        return 0;
    }

    private long assign(int start, int count, int[] passed) {
        if (passed.length != 0 && passed.length != count) {
            return -Errno.EINVAL;
        }
        EventCounter[] counters = new EventCounter[passed.length];
        for (int i = 0; i < passed.length; i++) {
            EventCounter counter = EventCounter.of(passed[i]);
            if (counter == null) {
                for (int j = 0; j < i; j++) {
                    counters[j].close();
                }
                return -Errno.EINVAL;
            }
            passed[i] = -1;
            counters[i] = counter;
        }
        for (int i = 0; i < count; i++) {
            put(start + i, passed.length == 0 ? null : counters[i]);
        }
        return 0;
    }

    private void put(int vector, @Nullable EventCounter counter) {
        EventCounter old = events[vector];
        events[vector] = counter;
        controller.maskInterrupt(vector, counter == null);
        if (old != null) {
            old.close();
        }
    }

    private void signal(int vector) {
        EventCounter counter = events[vector];
        if (counter != null) {
            counter.signal();
        }
    }

    /** Closes all eventfds. */
    @Override
    public void close() {
        for (int vector = 0; vector < events.length; vector++) {
            put(vector, null);
        }
    }
}
