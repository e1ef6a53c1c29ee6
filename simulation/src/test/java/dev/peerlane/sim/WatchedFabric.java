package dev.peerlane.sim;

import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.parts.ForwardingFabric;

/** A fabric whose DMA mappings are recorded in a ledger. */
final class WatchedFabric extends ForwardingFabric {
    private final DmaDomain domain;

    WatchedFabric(Fabric fabric, DmaDomain domain) {
        super(fabric);
        this.domain = domain;
    }

    @Override
    public DmaDomain dma() {
        return domain;
    }
}
