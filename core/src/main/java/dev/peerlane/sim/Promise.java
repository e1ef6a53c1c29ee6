package dev.peerlane.sim;

import dev.peerlane.emulator.Fault;
import dev.peerlane.emulator.Fault.Kind;
import dev.peerlane.p2p.FenceChoice;
import java.util.Collection;

/**
 * What a copy promises though something goes wrong. Most faults are told to the host, or delay
 * something: then every block that is said to be copied is the source's. Those below say success
 * and have spoilt data; a verification finds that, and without one only so much may be wrong.
 */
final class Promise {
    private static final int PIECE = 4096;

    private Promise() {}

    /**
     * Returns how many bytes may be wrong in what is said to be copied and was not verified.
     *
     * @param happened what went wrong, once for each time
     * @param fence the fence of the copy, as planned
     */
    static long wrongBytes(Collection<Fault> happened, String fence) {
        long bytes = 0;
        for (Fault fault : happened) {
            bytes += wrongBytes(fault.kind(), fence);
        }
        return bytes;
    }

    private static long wrongBytes(Kind kind, String fence) {
        boolean ordered =
                fence.equals(FenceChoice.SENTINEL.label())
                        || fence.equals(FenceChoice.CANARY.label());
        return switch (kind) {
            // one bit of the data of one command
            case WRONG_DATA -> 1;
            // a posted write holds a page at most; one that comes twice may hit the next chunk
            case DROPPED_WRITE, DUPLICATED_WRITE -> PIECE;
            // the fence's own data waits behind it; a read-back takes another way
            case DELAYED_WRITE -> ordered ? 0 : Integer.MAX_VALUE;
            default -> 0;
        };
    }

    /** Returns whether a fault of this kind lets data arrive in a slot after its time. */
    static boolean staleMoves(Kind kind, String fence) {
        return kind == Kind.DUPLICATED_WRITE
                || (kind == Kind.DELAYED_WRITE && wrongBytes(kind, fence) > 0);
    }
}
