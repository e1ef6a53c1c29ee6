package dev.peerlane.vfio;

import dev.peerlane.hal.Clock;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Two drives with plain memory as BARs, in a fake kernel and a fake sysfs. */
final class FakeMachine {
    static final Bdf A = new Bdf(0, 1, 0, 0);
    static final Bdf B = new Bdf(0, 2, 0, 0);
    static final long A_CMB = 0x40_0000_0000L;
    static final long B_CMB = 0x40_0100_0000L;
    static final long CMB_BYTES = 1 << 20;

    /** A clock that advances with each turn. */
    static final class TurningClock extends Clock {
        private long nanos;

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void turn() {
            nanos += 1_000_000;
        }
    }

    final FakeKernel kernel = new FakeKernel();
    final SysfsWriter sysfs;
    final PlainDevice a;
    final PlainDevice b;
    final Clock clock = new TurningClock();
    VfioOptions options;

    private final Path directory;

    /** Writes sysfs, unless an earlier machine has written it in this directory. */
    FakeMachine(Path directory) {
        this.directory = directory;
        Arena arena = Arena.ofAuto();
        a = new PlainDevice(A, 11, arena).bar(0, 0xc000_0000L, 0x4000).bar(2, A_CMB, CMB_BYTES);
        b = new PlainDevice(B, 12, arena).bar(0, 0xc001_0000L, 0x4000).bar(2, B_CMB, CMB_BYTES);
        kernel.add(a).add(b);
        sysfs = new SysfsWriter(directory.resolve("sys"));
        boolean written = Files.exists(sysfs.root());
        for (PlainDevice device : written ? List.<PlainDevice>of() : List.of(a, b)) {
            sysfs.function(device.function(null), device.config.toArray(ValueLayout.JAVA_BYTE))
                    .group(device.bdf, device.group)
                    .driver(device.bdf, "vfio-pci");
        }
        options = VfioOptions.DEFAULTS.withSystem(SystemRoot.in(directory));
        capabilities(0);
    }

    /** Adds iommufd to the kernel, and a node for each device. */
    FakeMachine withIommufd() {
        kernel.iommufd = true;
        sysfs.file("bus/pci/devices/" + A + "/vfio-dev/vfio0/dev", "");
        sysfs.file("bus/pci/devices/" + B + "/vfio-dev/vfio1/dev", "");
        return this;
    }

    /** Sets CapEff of this process. */
    void capabilities(long effective) {
        try {
            Path status = directory.resolve("proc/self/status");
            Files.createDirectories(status.getParent());
            Files.writeString(status, "Name:\tjava\nCapEff:\t%016x\n".formatted(effective));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    VfioFabric open() {
        return VfioFabric.open(kernel, List.of(A, B), options, clock);
    }
}
