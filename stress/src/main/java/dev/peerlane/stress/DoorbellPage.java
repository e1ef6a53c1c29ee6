package dev.peerlane.stress;

import dev.peerlane.mem.Mmio;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * The page of doorbells of a served drive: two neighbouring doorbells that two queues' threads ring
 * do not disturb each other, whoever looks meanwhile sees whole values, and the last ones stay.
 */
@JCStressTest
@Outcome(
        id = {"0, 65537, 131074", "65537, 65537, 131074"},
        expect = Expect.ACCEPTABLE,
        desc = "Both doorbells stay as they were rung last.")
@Outcome(expect = Expect.FORBIDDEN, desc = "A torn or lost doorbell.")
@State
public class DoorbellPage {
    private final long base = SharedWords.line().address();

    /** One queue. */
    @Actor
    public void one() {
        Mmio.store32Release(base, 0x0001_0001);
    }

    /** Its neighbour, whose side looks at the page like the drive. */
    @Actor
    public void other(III_Result r) {
        Mmio.store32Release(base + 4, 0x0002_0002);
        r.r1 = Mmio.load32Acquire(base);
    }

    /** What is there in the end. */
    @Arbiter
    public void end(III_Result r) {
        r.r2 = Mmio.load32Acquire(base);
        r.r3 = Mmio.load32Acquire(base + 4);
    }
}
