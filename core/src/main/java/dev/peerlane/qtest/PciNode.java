package dev.peerlane.qtest;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.PciFunction.BarWindow;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A function that {@link PciScan} found, and what is below it. */
final class PciNode {
    /** A memory BAR before it has a place. */
    record BarNeed(int index, long sizeBytes, boolean wide, boolean prefetchable) {}

    private final Bdf bdf;
    private final @Nullable PciNode parent;
    private final EcamConfig config;
    private final PciFunction.Kind kind;
    private final boolean bridge;
    private final boolean wideWindow;
    private final List<BarNeed> needs;
    private final List<BarWindow> bars = new ArrayList<>();
    private final List<PciNode> children = new ArrayList<>();

    PciNode(
            Bdf bdf,
            @Nullable PciNode parent,
            EcamConfig config,
            boolean bridge,
            boolean wideWindow,
            List<BarNeed> needs) {
        this.bdf = bdf;
        this.parent = parent;
        this.config = config;
        this.bridge = bridge;
        this.wideWindow = wideWindow;
        this.needs = needs;
        kind = PciFunction.kindOf(config);
    }

    Bdf bdf() {
        return bdf;
    }

    EcamConfig config() {
        return config;
    }

    PciFunction.Kind kind() {
        return kind;
    }

    boolean isBridge() {
        return bridge;
    }

    /** Returns whether a 64-bit prefetchable window leads here from the root. */
    boolean reachedAbove4g() {
        return parent == null || (parent.wideWindow && parent.reachedAbove4g());
    }

    List<BarNeed> needs() {
        return needs;
    }

    /** Returns the BARs that have a place. */
    List<BarWindow> bars() {
        return bars;
    }

    List<PciNode> children() {
        return children;
    }

    /** Reads what a snapshot holds. */
    PciFunction snapshot(@Nullable String name) {
        return PciFunction.read(bdf, parent == null ? null : parent.bdf, config, bars, name);
    }
}
