package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import dev.peerlane.fuzz.Input;
import dev.peerlane.fuzz.Refusals;
import dev.peerlane.fuzz.Scratch;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Fuzzes the use of the VFIO backend with a kernel that gives arbitrary answers: containers,
 * iommufd and no-IOMMU mode. Each run ends with typed errors only, maps memory only at permitted
 * addresses, and leaves nothing open or mapped.
 */
public final class IoctlTarget {
    private static final int MOST_ACTIONS = 40;
    private static final int ACTIONS = 16;
    private static final long PRESENT = 1L << 63;
    private static final Path FOLDER = Scratch.folder("ioctl");

    private final Input input;
    private final FakeMachine machine;
    private final LyingKernel kernel;
    private final List<VfioDevice> devices = new ArrayList<>();
    private final List<DmaBuffer> buffers = new ArrayList<>();
    private final List<PeerMapping> peers = new ArrayList<>();
    private final List<Interrupts> interrupts = new ArrayList<>();

    private IoctlTarget(byte[] data) {
        Input lies = new Input(data);
        int way = lies.int8();
        input = new Input(lies.bytes(lies.int8()));
        machine = machine(way & 3);
        kernel = new LyingKernel(machine.kernel, lies);
        machine.options = machine.options.withHugePages((way & 4) != 0);
        machine.kernel.hugePages = way >>> 3 & 3;
        machine.kernel.compatibility = (way & 32) != 0;
        if ((way & 64) != 0) {
            ranges(lies);
        }
        for (int patches = (way & 128) != 0 ? lies.below(24) : 0; patches > 0; patches--) {
            machine.a.config.set(JAVA_BYTE, lies.int16() % 4096, (byte) lies.int8());
        }
        int command = machine.a.get32(ConfigSpace.COMMAND);
        // Linux does this when it opens a function (vfio_pci_core_enable)
        machine.a.set32(ConfigSpace.COMMAND, command & ~ConfigSpace.COMMAND_BUS_MASTER);
    }

    private static FakeMachine machine(int way) {
        FakeMachine machine = new FakeMachine(FOLDER.resolve(String.valueOf(way)));
        switch (way) {
            case 0 -> {}
            case 1 -> {
                machine.withIommufd();
                machine.options = machine.options.withApi(VfioOptions.Api.IOMMUFD);
            }
            case 2 -> machine.withIommufd();
            default -> {
                machine.kernel.noIommu = true;
                for (int group : new int[] {11, 12}) {
                    machine.sysfs.file("kernel/iommu_groups/" + group + "/name", "vfio-noiommu\n");
                }
                machine.options = machine.options.withUnsafeNoIommuMode();
            }
        }
        return machine;
    }

    /** Sets address ranges that differ from a PC's. */
    private void ranges(Input lies) {
        List<Span> ranges = new ArrayList<>();
        for (int left = lies.below(6); left > 0; left--) {
            ranges.add(new Span(kernel.number(), kernel.number()));
        }
        machine.kernel.ranges = ranges;
    }

    /** The page map, which gives physical addresses in no-IOMMU mode. */
    private static final class PageMap extends FakeNodes.OtherFile {
        PageMap() {
            super("pagemap");
        }

        @Override
        long pread(MemorySegment target, long offset) {
            target.set(JAVA_LONG, 0, PRESENT | offset);
            return target.byteSize();
        }
    }

    /** Runs one input: the mode, the number of action bytes, the actions, and the answers. */
    public static void fuzzerTestOneInput(byte[] data) {
        new IoctlTarget(data).run();
    }

    private void run() {
        machine.kernel.otherFiles.put("/proc/self/pagemap", new PageMap());
        try (VfioFabric fabric =
                VfioFabric.open(
                        kernel,
                        List.of(FakeMachine.A, FakeMachine.B),
                        machine.options,
                        machine.clock)) {
            for (int i = 0; i < MOST_ACTIONS && !input.isEmpty(); i++) {
                try {
                    act(fabric, input.below(ACTIONS));
                } catch (PeerlaneException e) {
                    Refusals.check(e);
                }
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
        List<String> findings = kernel.findings();
        machine.kernel.end();
        if (!findings.isEmpty()) {
            throw new AssertionError(findings);
        }
    }

    private void act(VfioFabric fabric, int action) {
        if (action < 2) {
            devices.add(fabric.openDevice(action == 0 ? "0000:01:00.0" : "0000:02:00.0"));
            return;
        }
        switch (action) {
            case 2, 3 -> buffers.add(fabric.dma().allocate(1L << input.below(24)));
            case 4 -> drop(buffers);
            case 5 -> drop(peers);
            case 6 -> drop(interrupts);
            case 7 -> {
                machine.a.gone = input.flag();
                fabric.machine().functions();
            }
            default -> {
                if (!devices.isEmpty()) {
                    use(fabric, devices.get(input.below(devices.size())), action);
                }
            }
        }
    }

    private void use(VfioFabric fabric, VfioDevice device, int action) {
        switch (action) {
            case 8 -> registers(device.bar(input.below(7)));
            case 9 -> {
                Bar bar = device.bar(input.flag() ? 2 : input.below(6));
                long pages = bar.sizeBytes() / 4096;
                if (pages > 0) {
                    long at = input.int16() % pages;
                    long bytes = 4096 * Math.min(pages - at, 1 + input.below(16));
                    peers.add(fabric.dma().mapPeer(device, bar, 4096 * at, bytes));
                }
            }
            case 10 -> device.busMaster(input.flag());
            case 11 -> device.reset();
            case 12 -> {
                interrupts.add(device.interrupts(1 + input.below(9)));
                interrupts.getLast().await(0, 1_000_000);
            }
            case 13 -> {
                device.config().capability(ConfigSpace.CAP_PCI_EXPRESS);
                device.config().store32(4 * input.below(16), input.int32());
            }
            case 14 -> {
                for (Interrupts open : interrupts) {
                    open.await(0, 0);
                }
            }
            default -> {
                devices.remove(device);
                interrupts.clear(); // they are closed with their device
                device.close();
            }
        }
    }

    private void registers(Bar bar) {
        long words = bar.sizeBytes() / 8;
        if (words == 0) {
            return;
        }
        long at = 8 * ((input.int32() & Integer.MAX_VALUE) % words);
        bar.store32(at, bar.load32(at));
        bar.store64(at, bar.load64(at));
        bar.doorbell(at).ring(1);
    }

    private <T extends AutoCloseable> void drop(List<T> open) {
        if (open.isEmpty()) {
            return;
        }
        T chosen = open.remove(input.below(open.size()));
        switch (chosen) {
            case DmaBuffer buffer -> buffer.close();
            case PeerMapping peer -> peer.close();
            case Interrupts events -> events.close();
            default -> throw new IllegalStateException(String.valueOf(chosen));
        }
    }
}
