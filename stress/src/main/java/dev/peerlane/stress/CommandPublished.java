package dev.peerlane.stress;

import dev.peerlane.mem.Dma;
import dev.peerlane.mem.Mmio;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/**
 * A submission entry and its doorbell, which is a page of memory where the drive is served by
 * another process: who sees the new tail sees the entry. The results are two words of the entry.
 */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "The doorbell has not been seen.")
@Outcome(id = "5, 6", expect = Expect.ACCEPTABLE, desc = "Doorbell and entry have been seen.")
@Outcome(expect = Expect.FORBIDDEN, desc = "The doorbell came before the entry.")
@State
public class CommandPublished {
    private static final long DOORBELL = 32;

    private final long base = SharedWords.line().address();

    /** The driver. */
    @Actor
    public void driver() {
        Dma.storeLong(base, 0, 5);
        Dma.storeLong(base, 8, 6);
        Mmio.store32Release(base + DOORBELL, 1);
    }

    /** The drive. */
    @Actor
    public void drive(JJ_Result r) {
        if (Mmio.load32Acquire(base + DOORBELL) == 1) {
            r.r1 = Dma.loadLong(base, 0);
            r.r2 = Dma.loadLong(base, 8);
        }
    }
}
