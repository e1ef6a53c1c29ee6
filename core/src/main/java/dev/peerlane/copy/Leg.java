package dev.peerlane.copy;

import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;

/**
 * One half of the way of the data.
 *
 * @param initiator the device that does the DMA
 * @param owner the device whose memory it uses, or {@code host}
 * @param direction {@code write} into the memory or {@code read} from it
 * @param verdict in words
 * @param bridges how many bridges are on the way
 * @param crossesRoot whether it goes through the root complex
 * @param reason why, for a person
 */
public record Leg(
        String initiator,
        String owner,
        String direction,
        String verdict,
        int bridges,
        boolean crossesRoot,
        String reason) {

    public static Leg of(String initiator, String owner, boolean write, Route route) {
        Verdict verdict = write ? route.peerWrites() : route.peerReads();
        return new Leg(
                initiator,
                owner,
                write ? "write" : "read",
                verdict.words(),
                route.hops(),
                route.crossesRoot(),
                route.reason());
    }

    public static Leg host(String initiator, boolean write) {
        return new Leg(
                initiator,
                "host",
                write ? "write" : "read",
                "host memory",
                0,
                true,
                "host memory carries the data");
    }
}
