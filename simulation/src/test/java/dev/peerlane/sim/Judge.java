package dev.peerlane.sim;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.measure.LitmusCount;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Compares how a copy ended with what it promised, given the faults that happened, the fence, and
 * whether the fabric behaves as it is described.
 */
final class Judge {
    private static final Set<String> DRAGGED = Set.of("controller-stopped", "controller-reset");

    /** Fences that hand on no old bytes. */
    private static final Set<String> SOUND =
            Set.of(FenceChoice.SENTINEL.label(), FenceChoice.CANARY.label());

    /** Errors of plans that suit a copy but not a litmus test. */
    private static final Set<String> UNFIT_FOR_LITMUS =
            Set.of("no-cmb", "no-compare", "scratch-too-small", "cmb-too-small");

    private final Media media;
    private final Checkers checkers;
    private final boolean honest;
    private final boolean blind;
    private final Consumer<String> violation;
    private boolean unfenced;
    private boolean cancelled;
    private boolean crowded;

    /**
     * Judges the copies of one world.
     *
     * @param honest whether the fabric behaves as it is described
     * @param blind whether to judge copies without a fence as if they had one
     */
    Judge(
            Media media,
            Checkers checkers,
            boolean honest,
            boolean blind,
            Consumer<String> violation) {
        this.media = media;
        this.checkers = checkers;
        this.honest = honest;
        this.blind = blind;
        this.violation = violation;
    }

    /** Notes that a copy with this plan begins. */
    void begins(World.Copy copy, CopyPlan plan) {
        boolean needsFence =
                plan.kind() == BufferKind.TARGET_CMB || plan.kind() == BufferKind.THIRD_PARTY_CMB;
        boolean fenced = blind || !needsFence || copy.options().fence() != FenceChoice.NONE;
        // data that an unfenced copy left in flight may still arrive, and nothing waits for it
        unfenced |= !fenced;
        if (unfenced) {
            checkers.staleMayMove();
        }
    }

    /** Notes that a copy begins in the middle of another, on the same controllers. */
    void crowded() {
        crowded = true;
    }

    /** Notes that a copy was cancelled. */
    void cancelled() {
        cancelled = true;
    }

    private boolean trusted() {
        return honest && !unfenced;
    }

    /** Judges a copy that reported success. */
    void succeeded(World.Copy copy, Receipt receipt) {
        if (receipt.bytesCopied() != copy.bytes()) {
            violation.accept("ok, but %d bytes were copied".formatted(receipt.bytesCopied()));
        }
        if (copy.options().verify() != VerifyMode.NONE) {
            media.apply(copy);
        } else {
            weigh(copy, receipt);
        }
    }

    /** Judges a copy that failed after it began, with a receipt. */
    void failed(World.Copy copy, PeerlaneException error, Receipt receipt) {
        explain(copy, error, trusted());
        weigh(copy, receipt);
    }

    /**
     * Judges a copy that was refused before it moved anything, though not by the planner. A fabric
     * that lies does not explain that.
     */
    void refused(World.Copy copy, PeerlaneException error) {
        boolean unfit = copy.task() == World.Task.LITMUS && UNFIT_FOR_LITMUS.contains(error.code());
        explain(copy, error, !unfit);
    }

    /**
     * Judges the repetition, without faults, of a copy that was planned with faults.
     *
     * @param before whether the copy had a plan with the faults
     * @param now whether it has one without them
     */
    void again(boolean before, boolean now) {
        if (before && !now) {
            violation.accept("after the faults the same copy is refused");
        }
    }

    /** Checks that an error has an explanation: a fault, a fabric that lies, or a short timeout. */
    private void explain(World.Copy copy, PeerlaneException e, boolean asks) {
        boolean hurried = e.code().equals("command-timeout") && !copy.faults().isEmpty();
        boolean wanted = e.code().equals("interrupted") && copy.cancelAfter() > 0 && cancelled;
        if (e.code().equals("interrupted") && !wanted) {
            violation.accept("a copy that nobody cancelled ended as cancelled");
        }
        // if one of two copies can't delete a queue, the controller is reset, and the other copy
        // loses its queues too
        boolean dragged = DRAGGED.contains(e.code()) && crowded && !checkers.happened().isEmpty();
        if (asks
                && !hurried
                && !wanted
                && !dragged
                && !Promise.explains(checkers.happened(), e.code())) {
            violation.accept("nothing explains %s: %s".formatted(e.code(), e.getMessage()));
        }
    }

    /** Judges counted hand-offs: a sound fence has no stale ones. */
    void counted(World.Copy copy, int chunkBytes, LitmusCount count) {
        PeerlaneException stopped = count.stopped();
        if (trusted() && count.stale() > 0 && SOUND.contains(count.fence())) {
            violation.accept(
                    "%d of %d hand-offs with fence %s are stale"
                            .formatted(count.stale(), count.handOffs(), count.fence()));
        }
        if (stopped != null && !stopped.code().equals("nothing-measured")) {
            explain(copy, stopped, trusted());
        }
        int half = copy.bytes() / 2 / chunkBytes * chunkBytes;
        if (!media.same(copy, 2 * half)) {
            violation.accept("the pattern is not the same on both sides");
        }
        media.adopt(copy.source(), copy.bytes());
        media.adopt(copy);
    }

    /** Judges a litmus test that counted nothing; it may have written its pattern all the same. */
    void notCounted(World.Copy copy, PeerlaneException error) {
        media.adopt(copy.source(), copy.bytes());
        media.adopt(copy);
    }

    /** Limits the wrong bytes in what an unverified or failed copy reports as copied. */
    private void weigh(World.Copy copy, Receipt receipt) {
        if (trusted()) {
            long allowed =
                    Promise.wrongBytes(checkers.happened(), receipt.fence(), receipt.chunkBytes());
            int wrong = media.wrongBytes(copy, receipt.copied(), receipt.target().blockBytes());
            int strange = media.strangeBytes(copy);
            if (wrong > allowed) {
                violation.accept("%d bytes are %s".formatted(wrong, Simulation.NOT_COPIED));
            }
            if (strange > allowed) {
                violation.accept("%d bytes are neither old nor the source's".formatted(strange));
            }
        }
        media.adopt(copy);
    }
}
