package dev.peerlane.copy;

import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;

/**
 * One of the two legs of the data of a copy.
 *
 * @param initiator the device that does the DMA
 * @param owner the device whose memory it accesses, or {@code host}
 * @param direction {@code write} into the memory or {@code read} from it
 * @param verdict the verdict on the route, in words
 * @param bridges number of bridges on the route
 * @param crossesRoot whether the route goes through the root complex
 * @param reason the reason for the verdict, for a person
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
