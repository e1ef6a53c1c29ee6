package dev.peerlane.system;

import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.parts.ForwardingFabric;

/** A fabric that is there still when a session has closed it; subclasses change what it says. */
class KeptFabric extends ForwardingFabric {
    KeptFabric(Fabric fabric) {
        super(fabric);
    }

    @Override
    public void close() {
        // whoever made it closes it
    }
}
