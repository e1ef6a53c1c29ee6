package dev.peerlane.lab.guest;

import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.parts.ForwardingFabric;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.pci.RootComplex.Trust;

/** A fabric whose root complex is declared to forward peer traffic, as QEMU's does. */
final class TrustedRoot extends ForwardingFabric {
    TrustedRoot(Fabric fabric) {
        super(fabric);
    }

    @Override
    public Machine machine() {
        return new Machine(
                super.machine().functions(),
                new RootComplex(Trust.TRUSTED, Trust.TRUSTED, "this is QEMU"));
    }
}
