package dev.peerlane.copy;

import java.util.List;

/**
 * A request for a copy.
 *
 * @param source the side to read
 * @param sourceLba the first block, in blocks of the source
 * @param target the side to write
 * @param targetLba the first block, in blocks of the target
 * @param bytes length of the copy; a multiple of both block sizes
 * @param candidates the CMBs of the fabric that can be used
 * @param absences why other CMBs of the fabric can't be used, one sentence each
 * @param options the options of the copy
 */
public record CopyRequest(
        Endpoint source,
        long sourceLba,
        Endpoint target,
        long targetLba,
        long bytes,
        List<BufferCandidate> candidates,
        List<String> absences,
        CopyOptions options) {
    /** Copies the lists. */
    public CopyRequest {
        candidates = List.copyOf(candidates);
        absences = List.copyOf(absences);
    }

    /** Returns this request with other candidates, and other reasons why there are no more. */
    public CopyRequest with(List<BufferCandidate> memories, List<String> missing) {
        return new CopyRequest(
                source, sourceLba, target, targetLba, bytes, memories, missing, options);
    }
}
