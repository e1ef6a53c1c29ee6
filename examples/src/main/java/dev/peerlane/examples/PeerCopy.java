package dev.peerlane.examples;

import dev.peerlane.Extent;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.Session;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import java.nio.file.Path;
import java.util.List;

/** Copies blocks from one SSD to another: {@code PeerCopy [SOURCE TARGET [FABRIC-FILE]]}. */
public final class PeerCopy {
    private PeerCopy() {}

    /** Runs the example. */
    public static void main(String[] args) {
        Extent source = Extent.parse(args.length > 1 ? args[0] : "emu:ssd0@0+2048");
        Extent target = Extent.parse(args.length > 1 ? args[1] : "emu:ssd1");
        Path fabric = args.length > 2 ? Path.of(args[2]) : null;
        List<Locator> devices =
                List.of(Locator.parse(source.device()), Locator.parse(target.device()));
        try (Session session = Session.of(Fabrics.installed().open(fabric, devices))) {
            Receipt receipt = session.copy(source, target, CopyOptions.DEFAULTS);
            System.out.printf(
                    "%d bytes by %s, verified by %s, %d data bytes in host memory%n",
                    receipt.bytesCopied(),
                    receipt.buffer(),
                    receipt.verify().method(),
                    receipt.hostDataBytes());
        }
    }
}
