package dev.peerlane.cli.copy;

import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.DmaFault;
import java.util.List;

/** Text for the parts that plans and receipts share. */
public final class CopyWords {
    private CopyWords() {}

    /** Returns a line about the failed requests that the fabric recorded, or nothing. */
    public static List<String> faults(List<DmaFault> faults) {
        return faults.isEmpty()
                ? List.of()
                : List.of(
                        "at least %d requests of devices failed; the first: %s"
                                .formatted(faults.size(), faults.getFirst().words()));
    }

    public static String leg(Leg leg) {
        String way = leg.direction().equals("write") ? " writes to " : " reads from ";
        if (leg.owner().equals("host")) {
            return leg.initiator() + way + "host memory";
        }
        String memory = leg.initiator().equals(leg.owner()) ? "its own CMB" : leg.owner();
        return leg.initiator() + way + memory + ": " + leg.verdict() + ", " + leg.reason();
    }

    static String fence(String fence) {
        return switch (fence) {
            case "sentinel" -> "sentinel: a later Read shows that the source's writes have arrived";
            case "canary" ->
                    "canary: one in every page shows that the source's writes have arrived";
            case "readback" -> "readback: a load pushes the source's writes before it";
            default -> "none";
        };
    }

    public static String name(Receipt.Side side) {
        return side.locator() + "/n" + side.nsid();
    }

    public static String side(Receipt.Side s) {
        return "%s: %s, serial %s, %s of %d bytes"
                .formatted(name(s), s.model(), s.serial(), blocks(s), s.blockBytes());
    }

    public static String blocks(Receipt.Side s) {
        return "blocks %d to %d".formatted(s.slba(), s.slba() + s.blocks() - 1);
    }
}
