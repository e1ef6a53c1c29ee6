package dev.peerlane.copy;

import java.util.List;

/**
 * What to copy.
 *
 * @param source where from
 * @param sourceLba first block, in blocks of the source
 * @param target where to
 * @param targetLba first block, in blocks of the target
 * @param bytes how much; a multiple of both block sizes
 * @param candidates the CMBs of the fabric that can be used
 * @param absences why other CMBs of the fabric can't, one sentence each
 * @param options how
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
    /** Keeps its own copies of the lists. */
    public CopyRequest {
        candidates = List.copyOf(candidates);
        absences = List.copyOf(absences);
    }

    /** Returns it with other memories to choose from, and other reasons why there are no more. */
    public CopyRequest with(List<BufferCandidate> memories, List<String> missing) {
        return new CopyRequest(
                source, sourceLba, target, targetLba, bytes, memories, missing, options);
    }
}
