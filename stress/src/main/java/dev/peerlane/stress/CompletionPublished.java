package dev.peerlane.stress;

import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.mem.Dma;
import dev.peerlane.spec.wire.Cqe;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A completion entry, stored as the emulated drive does it and loaded as the driver does it: who
 * sees the new phase sees the whole entry. The results are command identifier and dword 0.
 */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "The entry has not arrived.")
@Outcome(id = "7, 42", expect = Expect.ACCEPTABLE, desc = "All of the entry has arrived.")
@Outcome(expect = Expect.FORBIDDEN, desc = "A part of an entry.")
@State
public class CompletionPublished {
    private final MemorySegment ring = SharedWords.line();

    /** The drive. */
    @Actor
    public void drive() {
        MemorySegment entry = MemorySegment.ofArray(new long[2]);
        Cqe.putDw01(entry, 0, 42, 0);
        Cqe.putDw23(entry, 0, Cqe.dw23(1, 1, 7, 0, 1));
        Interconnect.store(ring, 0, entry, 0, Cqe.BYTES, DmaKind.QUEUE_ENTRY);
    }

    /** The driver. */
    @Actor
    public void driver(II_Result r) {
        long dw23 = Dma.loadLongAcquire(ring.address(), 8);
        if (Cqe.phaseOf(dw23) == 1) {
            r.r1 = Cqe.cidOf(dw23);
            r.r2 = Dma.loadInt(ring.address(), 0);
        }
    }
}
