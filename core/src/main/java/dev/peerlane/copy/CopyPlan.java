package dev.peerlane.copy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a copy will be done, and why.
 *
 * @param request what to copy
 * @param kind the kind of memory that carries the data
 * @param buffer that memory, or null for host memory
 * @param legs the two legs of the data: into the memory, and out of it
 * @param fence the fence between Read and Write: {@code sentinel}, {@code canary}, {@code readback}
 *     or {@code none}
 * @param verify how the result will be verified
 * @param verifyBuffer the CMB that the verification uses, or null if it uses none
 * @param reasons the arguments for and against each buffer, one sentence each
 * @param announcements what the user must be told, above all a fallback to host memory
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
    /** Copies the lists. */
    public CopyPlan {
        legs = List.copyOf(legs);
        reasons = List.copyOf(reasons);
        announcements = List.copyOf(announcements);
    }

    /** Returns whether the verification uses the same memory as the copy. */
    public boolean verifySharesBuffer() {
        return buffer != null && buffer.equals(verifyBuffer);
    }

    /**
     * Returns whether a third party's memory, which was not looked at, could rank before this one.
     */
    public boolean mayBeBeaten() {
        boolean readBackOnly =
                request.options().fence() == FenceChoice.AUTO
                        && fence.equals(FenceChoice.READBACK.label());
        return kind != BufferKind.TARGET_CMB || readBackOnly;
    }
}
