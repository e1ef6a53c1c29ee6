package dev.peerlane.stress;

import dev.peerlane.mem.Dma;
import dev.peerlane.mem.Mmio;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/**
 * A place of a ring that is given back by the other side's doorbell and used again: what was read
 * of it before the doorbell is the old entry, never the new one.
 */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "The old entry.")
@Outcome(expect = Expect.FORBIDDEN, desc = "The place was given back before it was read.")
@State
public class PlaceUsedAgain {
    private static final long DOORBELL = 32;

    private final long base = SharedWords.line().address();

    /** Reads the entry, then gives its place back. */
    @Actor
    public void consumer(J_Result r) {
        r.r1 = Dma.loadLong(base, 8);
        Mmio.store32Release(base + DOORBELL, 1);
    }

    /** Uses the place again when it was given back. */
    @Actor
    public void producer() {
        if (Mmio.load32Acquire(base + DOORBELL) == 1) {
            Dma.storeLong(base, 8, 9);
        }
    }
}
