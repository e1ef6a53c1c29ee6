package dev.peerlane.copy;

import dev.peerlane.pci.Direction;
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

    public static Leg of(String initiator, String owner, Direction direction, Route route) {
        Verdict verdict = route.verdict(direction);
        return new Leg(
                initiator,
                owner,
                direction.word(),
                verdict.words(),
                route.hops(),
                route.crossesRoot(),
                route.reason());
    }

    public static Leg host(String initiator, Direction direction) {
        return new Leg(
                initiator,
                "host",
                direction.word(),
                "host memory",
                0,
                true,
                "host memory carries the data");
    }
}
