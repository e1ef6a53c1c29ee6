package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.MsixLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * MSI-X of a drive (PCIe 5.0, 6.1.4 and 7.7.2; NVMe over PCIe 1.0, 3.5): the table and the pending
 * bits in a BAR of their own, and the messages. MSI and INTx are not supported: with MSI-X off a
 * drive sends no interrupts, and INTMS and INTMC have no effect.
 *
 * <p>Completions request messages with {@link #request}. {@link #send} sends one for each vector
 * that was requested since its last call, so a batch of completions is one interrupt. A message is
 * a posted write that follows the completion entries.
 *
 * <pre>
 *   0 + 16 v   Message Address           pending bits: at the next multiple of 4 KiB
 *   4 + 16 v   Message Upper Address       bit v mod 64 of the 8 bytes at 8 (v / 64)
 *   8 + 16 v   Message Data
 *  12 + 16 v   Vector Control: bit 0 masks
 * </pre>
 */
final class Msix implements RegisterBlock {
    private static final long LOW = 0xffff_ffffL;

    private final EmulatedFunction function;
    private final DmaPort dma;
    private final int vectors;
    private final int pendingOffset;
    private final long[] addresses;
    private final int[] data;
    private final boolean[] masked;
    private final long[] requested;
    private final long[] pending;
    private final MemorySegment message = MemorySegment.ofArray(new long[1]);
    private @Nullable IntConsumer receiver;
    private boolean enabled;
    private boolean functionMask;
    private boolean asked;

    Msix(EmulatedFunction function, DmaPort dma, DriveModel drive) {
        this.function = function;
        this.dma = dma;
        this.vectors = MsixLayout.vectors(drive);
        this.pendingOffset = MsixLayout.pendingOffset(drive);
        this.addresses = new long[vectors];
        this.data = new int[vectors];
        this.masked = new boolean[vectors];
        this.requested = new long[(vectors + 63) / 64];
        this.pending = new long[requested.length];
        functionReset();
    }

    /** Delivers messages to a receiver instead of the bus. */
    void receiver(IntConsumer receiver) {
        this.receiver = receiver;
    }

    int vectors() {
        return vectors;
    }

    /**
     * Applies a Function Level Reset: every vector is masked and nothing is pending. With a
     * receiver the masks are left alone, because the receiver restores them, as kernels do.
     */
    void functionReset() {
        Arrays.fill(addresses, 0);
        Arrays.fill(data, 0);
        if (receiver == null) {
            Arrays.fill(masked, true);
        }
        forget();
        configWritten();
    }

    /** Discards requested and pending messages, as a controller reset does. */
    void forget() {
        Arrays.fill(requested, 0);
        Arrays.fill(pending, 0);
        asked = false;
    }

    /** Reads Message Control again, which may have changed. */
    void configWritten() {
        boolean was = enabled && !functionMask;
        enabled = function.isMsixEnabled();
        functionMask = function.isMsixMasked();
        if (!enabled) {
            forget();
        } else if (!was && !functionMask) {
            for (int vector = 0; vector < vectors; vector++) {
                unpend(vector);
            }
        }
    }

    /** Requests a message, because a completion was posted to a queue with this vector. */
    void request(int vector) {
        if (enabled) {
            requested[vector >>> 6] |= 1L << vector;
            asked = true;
        }
    }

    /** Sends the requested messages; those of masked vectors become pending. */
    void send() {
        if (!asked) {
            return;
        }
        asked = false;
        for (int word = 0; word < requested.length; word++) {
            long bits = requested[word];
            requested[word] = 0;
            while (bits != 0) {
                int vector = 64 * word + Long.numberOfTrailingZeros(bits);
                bits &= bits - 1;
                if (functionMask || masked[vector]) {
                    pending[word] |= 1L << vector;
                } else {
                    send(vector);
                }
            }
        }
    }

    /** Returns whether a vector is masked and has a message pending. */
    boolean isPending(int vector) {
        return (pending[vector >>> 6] & (1L << vector)) != 0;
    }

    /**
     * Clears the pending message of a vector for which nothing is left to report (PCIe 5.0,
     * 6.1.4.5).
     */
    void satisfied(int vector) {
        pending[vector >>> 6] &= ~(1L << vector);
    }

    /** Sets or clears the Mask Bit of a vector. */
    void mask(int vector, boolean on) {
        masked[vector] = on;
        unpend(vector);
    }

    private void unpend(int vector) {
        if (isPending(vector) && enabled && !functionMask && !masked[vector]) {
            satisfied(vector);
            send(vector);
        }
    }

    private void send(int vector) {
        if (receiver != null) {
            receiver.accept(vector);
            return;
        }
        message.set(ValueLayout.JAVA_INT, 0, data[vector]);
        // a message that reaches nothing is lost; the fabric's fault log records it
        dma.write(addresses[vector], message, 0, 4, DmaKind.QUEUE_ENTRY);
    }

    @Override
    public int load32(long offset) {
        int vector = (int) (offset / MsixLayout.ENTRY_BYTES);
        if (vector < vectors) {
            return switch ((int) offset & 12) {
                case 0 -> (int) addresses[vector];
                case 4 -> (int) (addresses[vector] >>> 32);
                case 8 -> data[vector];
                default -> masked[vector] ? 1 : 0;
            };
        }
        long word = (offset - pendingOffset) >> 3;
        if (word < 0 || word >= pending.length) {
            return 0;
        }
        return (int) (pending[(int) word] >>> ((offset & 4) * 8));
    }

    @Override
    public long load64(long offset) {
        return (load32(offset) & LOW) | ((long) load32(offset + 4) << 32);
    }

    @Override
    public void store32(long offset, int value) {
        int vector = (int) (offset / MsixLayout.ENTRY_BYTES);
        if (vector >= vectors) {
            return; // the pending bits are read only
        }
        long old = addresses[vector];
        switch ((int) offset & 12) {
            case 0 -> addresses[vector] = (old & ~LOW) | (value & LOW & ~3L);
            case 4 -> addresses[vector] = (old & LOW) | ((long) value << 32);
            case 8 -> data[vector] = value;
            default -> mask(vector, (value & 1) != 0);
        }
    }

    @Override
    public void store64(long offset, long value) {
        store32(offset, (int) value);
        store32(offset + 4, (int) (value >>> 32));
    }
}
