package dev.peerlane.cli.copy;

import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Receipt;

/** The two sides of a copy in documents. */
public final class Sides {
    private Sides() {}

    public static Receipt.Side source(CopyRequest r) {
        return side(r.source(), r.sourceLba(), r.bytes());
    }

    public static Receipt.Side target(CopyRequest r) {
        return side(r.target(), r.targetLba(), r.bytes());
    }

    private static Receipt.Side side(Endpoint end, long lba, long bytes) {
        int blockBytes = end.port().limits().blockBytes();
        return new Receipt.Side(
                end.locator(),
                end.serial(),
                end.model(),
                end.nsid(),
                lba,
                bytes / blockBytes,
                blockBytes);
    }
}
