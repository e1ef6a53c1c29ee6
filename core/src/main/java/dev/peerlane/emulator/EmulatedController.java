package dev.peerlane.emulator;

import dev.peerlane.emulator.controller.NvmeController;
import dev.peerlane.emulator.tree.FabricOwner;
import dev.peerlane.emulator.watch.ControllerStatistics;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A drive's controller, looked at from the other side: what it did, what it has seen the host do,
 * and the bytes behind it. Used by the thread that owns the fabric; others are refused before they
 * have done anything.
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

    /** Returns what it did so far. */
    public ControllerStatistics statistics() {
        return machine.statistics();
    }

    /**
     * Returns what the host did that the specification forbids, in words, the first 64 of them.
     * Nothing here is an error of a command: those end with a status.
     */
    public List<String> violations() {
        owner.check();
        return machine.violations();
    }

    /** Returns how many I/O submission queues there are now. */
    public int ioQueues() {
        return machine.ioQueues();
    }

    /** Returns whether CSTS.RDY is set. */
    public boolean isReady() {
        return machine.isReady();
    }

    /**
     * Returns the bytes of a namespace's medium, its cache included, past all commands.
     *
     * @throws IllegalArgumentException if there is no such namespace
     */
    public byte[] medium(int nsid) {
        owner.check();
        return machine.namespaces().content(nsid);
    }

    /** Returns a copy of the bytes of the CMB, of none where there is no CMB, past all fabrics. */
    public byte[] cmbBytes() {
        owner.check();
        return machine.cmbBytes();
    }

    /** Makes bytes the beginning of a namespace's medium, past all commands. */
    public void medium(int nsid, byte[] bytes) {
        owner.check();
        machine.namespaces().content(nsid, bytes);
    }

    /**
     * Has the doorbells of its queues read from memory that a host writes, beside those that are
     * written to the BAR: looked at in every turn, so a value counts once and later than the store.
     *
     * @param memory what is at 1000h of BAR 0 and behind; as long as the doorbells or longer,
     *     aligned to 4, there until the fabric is closed
     */
    public void watchDoorbells(MemorySegment memory) {
        owner.check();
        machine.watchDoorbells(memory);
    }

    /**
     * Has its messages of MSI-X told to somebody instead of sent to the bus. Enable, Function Mask
     * and the masks of the vectors count as they do for those that are sent; a Function Level Reset
     * leaves the masks of the vectors.
     *
     * @param receiver is given the vector, on the thread that owns the fabric
     */
    public void interruptReceiver(IntConsumer receiver) {
        owner.check();
        machine.interruptReceiver(receiver);
    }

    /** Returns how many vectors its MSI-X has. */
    public int interruptVectors() {
        return machine.interruptVectors();
    }

    /** Sets or clears the Mask Bit of a vector, as a store to Vector Control does. */
    public void maskInterrupt(int vector, boolean masked) {
        owner.check();
        machine.maskInterrupt(vector, masked);
    }
}
