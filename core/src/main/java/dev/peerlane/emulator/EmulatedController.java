package dev.peerlane.emulator;

import dev.peerlane.emulator.controller.NvmeController;
import dev.peerlane.emulator.tree.FabricOwner;
import dev.peerlane.emulator.watch.ControllerStatistics;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A test's view of an emulated controller: what it did, which rules the host broke, and the bytes
 * behind it. Only the thread that owns the fabric may use it; calls from other threads are rejected
 * before they have any effect.
 */
public final class EmulatedController {
    private final FabricOwner owner;
    private final NvmeController machine;

    EmulatedController(FabricOwner owner, NvmeController machine) {
        this.owner = owner;
        this.machine = machine;
    }

    /** Returns the controller itself. */
    NvmeController machine() {
        return machine;
    }

    /** Returns the statistics of this controller. */
    public ControllerStatistics statistics() {
        return machine.statistics();
    }

    /**
     * Returns descriptions of what the host did against the specification, the first 64. These are
     * not errors of commands, which end with a status.
     */
    public List<String> violations() {
        owner.check();
        return machine.violations();
    }

    /** Returns the present number of I/O submission queues. */
    public int ioQueues() {
        return machine.ioQueues();
    }

    /** Returns whether CSTS.RDY is set. */
    public boolean isReady() {
        return machine.isReady();
    }

    /**
     * Returns the bytes of a namespace's medium, including its cache. Bypasses all commands.
     *
     * @throws IllegalArgumentException if there is no such namespace
     */
    public byte[] medium(int nsid) {
        owner.check();
        return machine.namespaces().content(nsid);
    }

    /** Returns a copy of the CMB's bytes, empty if there is no CMB. Bypasses the fabric. */
    public byte[] cmbBytes() {
        owner.check();
        return machine.cmbBytes();
    }

    /** Overwrites the beginning of a namespace's medium. Bypasses all commands. */
    public void medium(int nsid, byte[] bytes) {
        owner.check();
        machine.namespaces().content(nsid, bytes);
    }

    /**
     * Also reads the doorbells of the queues from memory that a host writes, besides taking stores
     * to the BAR. The memory is polled in every turn. A new value takes effect once, and later than
     * its store.
     *
     * @param memory the doorbells, from offset 1000h of BAR 0 on; at least as long as all of them,
     *     aligned to 4, and valid until the fabric is closed
     */
    public void watchDoorbells(MemorySegment memory) {
        owner.check();
        machine.watchDoorbells(memory);
    }

    /**
     * Delivers MSI-X messages to a receiver instead of the bus. MSI-X Enable, Function Mask and the
     * vectors' Mask Bits apply as they do on the bus. A Function Level Reset does not change the
     * vectors' Mask Bits.
     *
     * @param receiver called with the vector, on the thread that owns the fabric
     */
    public void interruptReceiver(IntConsumer receiver) {
        owner.check();
        machine.interruptReceiver(receiver);
    }

    /** Returns the number of MSI-X vectors. */
    public int interruptVectors() {
        return machine.interruptVectors();
    }

    /** Sets or clears the Mask Bit of a vector, as a store to Vector Control does. */
    public void maskInterrupt(int vector, boolean masked) {
        owner.check();
        machine.maskInterrupt(vector, masked);
    }
}
