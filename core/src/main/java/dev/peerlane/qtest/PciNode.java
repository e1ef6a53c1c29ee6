package dev.peerlane.qtest;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.PciFunction.BarWindow;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A function that {@link PciScan} found, with the functions below it. */
final class PciNode {
    /** A memory BAR that has no address yet. */
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

    /** Returns whether 64-bit prefetchable windows lead from the root to this function. */
    boolean reachedAbove4g() {
        return parent == null || (parent.wideWindow && parent.reachedAbove4g());
    }

    List<BarNeed> needs() {
        return needs;
    }

    /** Returns the BARs that have an address. */
    List<BarWindow> bars() {
        return bars;
    }

    List<PciNode> children() {
        return children;
    }

    /** Reads the function's entry for a snapshot. */
    PciFunction snapshot(@Nullable String name) {
        return PciFunction.read(bdf, parent == null ? null : parent.bdf, config, bars, name);
    }
}
