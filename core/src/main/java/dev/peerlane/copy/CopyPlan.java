package dev.peerlane.copy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a copy will be done, and why.
 *
 * @param request what is to be copied
 * @param kind whose memory carries the data
 * @param buffer that memory, or null for host memory
 * @param legs the way of the data: into the memory, and out of it
 * @param fence the fence between Read and Write: {@code sentinel}, {@code canary}, {@code readback}
 *     or {@code none}
 * @param verify how the result will be checked
 * @param verifyBuffer the CMB that the check uses, or null if it uses none
 * @param reasons what spoke for and against each buffer, one sentence each
 * @param announcements what the user must be told: a fallback above all
 */
public record CopyPlan(
        CopyRequest request,
        BufferKind kind,
        @Nullable BufferCandidate buffer,
        List<Leg> legs,
        String fence,
        VerifyMethod verify,
        @Nullable BufferCandidate verifyBuffer,
        List<String> reasons,
        List<String> announcements) {
    /** Keeps its own copies of the lists. */
    public CopyPlan {
        legs = List.copyOf(legs);
        reasons = List.copyOf(reasons);
        announcements = List.copyOf(announcements);
    }

    /** Returns whether the check runs over the same memory as the copy. */
    public boolean verifySharesBuffer() {
        return buffer != null && buffer.equals(verifyBuffer);
    }

    /** Returns whether the memory of a third party, if one was asked, could come first. */
    public boolean mayBeBeaten() {
        boolean readBackOnly =
                request.options().fence() == FenceChoice.AUTO
                        && fence.equals(FenceChoice.READBACK.label());
        return kind != BufferKind.TARGET_CMB || readBackOnly;
    }
}
