package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.PendingLoad;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A machine with one {@link FakeController}: host memory that detects a free that is too early, a
 * clock whose turns advance the controller, and calls that fail when a test wants it.
 */
final class FakeMachine {
    static final long BAR2_ADDRESS = 0x20_0000_0000L;
    private static final long TURN_NANOS = 1_000_000;

    final List<String> log = new ArrayList<>();
    final List<String> violations = new ArrayList<>();
    final TreeMap<Long, FakeBuffer> host = new TreeMap<>();
    final FakeController controller = new FakeController(this);
    final FakeDma dma = new FakeDma();
    final FakeClock clock = new FakeClock();
    final FakeDevice device = new FakeDevice();
    int mappings;
    int turns;
    int failAtCall = -1;
    int loadsStarted;
    boolean loadsStayPending;
    private int calls;
    private boolean gaveOut;

    /** Returns whether a call failed as scripted. */
    boolean gaveOut() {
        return gaveOut;
    }

    private void fallible(String what) {
        if (++calls == failAtCall) {
            gaveOut = true;
            throw PeerlaneException.machine("scripted", what + " fails", "as the test says");
        }
    }

    /** Returns the host buffer that contains an address, or null. */
    MemorySegment hostBytes(long address, long bytes) {
        Map.Entry<Long, FakeBuffer> e = host.floorEntry(address);
        if (e == null || address + bytes > e.getKey() + e.getValue().segment().byteSize()) {
            return null;
        }
        return e.getValue().segment().asSlice(address - e.getKey(), bytes);
    }

    final class FakeBuffer extends DmaBuffer {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment memory;
        private boolean open = true;

        FakeBuffer(long bytes) {
            memory = arena.allocate(bytes, 4096);
        }

        @Override
        public MemorySegment segment() {
            return memory;
        }

        @Override
        public long address() {
            return memory.address();
        }

        @Override
        public long busAddress() {
            return memory.address();
        }

        @Override
        public void close() {
            if (open) {
                open = false;
                controller.freed(address(), sizeBytes());
                host.remove(address());
                arena.close();
            }
        }
    }

    final class FakeDma extends DmaDomain {
        long mapAt = -1;

        @Override
        public int pageBytes() {
            return 4096;
        }

        @Override
        public DmaBuffer allocate(long sizeBytes) {
            fallible("allocation");
            FakeBuffer buffer = new FakeBuffer((sizeBytes + 4095) & -4096);
            host.put(buffer.address(), buffer);
            return buffer;
        }

        @Override
        public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
            fallible("mapPeer");
            long address = mapAt >= 0 ? mapAt : bar.pciAddress() + offset;
            mappings++;
            log.add("map");
            return new PeerMapping() {
                private boolean open = true;

                @Override
                public long busAddress() {
                    return address;
                }

                @Override
                public long sizeBytes() {
                    return sizeBytes;
                }

                @Override
                public void admit(Bdf device) {
                    log.add("admit " + device);
                }

                @Override
                public void close() {
                    if (open) {
                        open = false;
                        mappings--;
                        log.add("unmap");
                    }
                }
            };
        }
    }

    final class FakeClock extends Clock {
        private long now = 1;

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public void turn() {
            turns++;
            now += TURN_NANOS;
            controller.step();
        }
    }

    final class FakeDevice extends PciDevice {
        final FakeConfig config = new FakeConfig();
        boolean resetWorks = true;
        boolean busMasterSticks;
        int functionResets;
        Runnable afterReset = () -> {};

        @Override
        public Bdf bdf() {
            return new Bdf(0, 1, 0, 0);
        }

        @Override
        public String locator() {
            return "fake:0";
        }

        @Override
        public ConfigSpace config() {
            return config;
        }

        @Override
        public Bar bar(int index) {
            if (index == 0) {
                return new RegisterBar();
            }
            if (index == 2 && controller.bar2Bytes > 0) {
                return new MemoryBar();
            }
            throw PeerlaneException.machine("no-bar", "no BAR " + index, "none");
        }

        @Override
        public void busMaster(boolean enabled) {
            int command = config.load16(ConfigSpace.COMMAND) & ~ConfigSpace.COMMAND_BUS_MASTER;
            if (enabled || busMasterSticks) {
                command |= ConfigSpace.COMMAND_BUS_MASTER;
            }
            config.store16(ConfigSpace.COMMAND, command);
        }

        boolean isBusMaster() {
            return (config.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER) != 0;
        }

        @Override
        public void reset() {
            fallible("function reset");
            if (!resetWorks) {
                throw PeerlaneException.machine("no-reset", "no function reset", "none");
            }
            functionResets++;
            log.add("flr");
            controller.functionReset();
            afterReset.run();
        }

        @Override
        public void close() {
            busMaster(false);
        }
    }

    static final class FakeConfig extends ConfigSpace {
        private final byte[] bytes = new byte[4096];
        private final MemorySegment segment = MemorySegment.ofArray(bytes);
        boolean relaxedOrderingSticks;

        FakeConfig() {
            store16(VENDOR_ID, 0x1234);
            store32(CLASS_REVISION, 0x010802 << 8);
            store16(STATUS, 0x10);
            bytes[CAPABILITIES] = 0x40;
            store16(0x40, CAP_PCI_EXPRESS);
            store16(0x48, 1 << 4);
        }

        @Override
        public int load32(int offset) {
            return segment.get(ValueLayout.JAVA_INT_UNALIGNED, offset);
        }

        @Override
        public void store32(int offset, int value) {
            segment.set(ValueLayout.JAVA_INT_UNALIGNED, offset, value);
        }

        @Override
        public void store16(int offset, int value) {
            int stored = relaxedOrderingSticks && offset == 0x48 ? value | 1 << 4 : value;
            segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) stored);
        }
    }

    final class RegisterBar extends Bar {
        @Override
        public int index() {
            return 0;
        }

        @Override
        public long sizeBytes() {
            return 0x4000;
        }

        @Override
        public long pciAddress() {
            return 0x10_0000_0000L;
        }

        @Override
        public int load32(long offset) {
            return controller.load((int) offset);
        }

        @Override
        public PendingLoad startLoad32(long offset) {
            loadsStarted++;
            int value = controller.load((int) offset);
            return new PendingLoad() {
                @Override
                public boolean isDone() {
                    return !loadsStayPending;
                }

                @Override
                public int value() {
                    return value;
                }
            };
        }

        @Override
        public void store32(long offset, int value) {
            controller.store((int) offset, value);
        }

        @Override
        public long load64(long offset) {
            violations.add("8 byte load of a register");
            return 0;
        }

        @Override
        public void store64(long offset, long value) {
            violations.add("8 byte store to a register");
        }

        @Override
        public Doorbell doorbell(long offset) {
            return new Doorbell() {
                @Override
                public void ring(int value) {
                    controller.store((int) offset, value);
                }
            };
        }
    }

    final class MemoryBar extends Bar {
        @Override
        public int index() {
            return 2;
        }

        @Override
        public long sizeBytes() {
            return controller.bar2Bytes;
        }

        @Override
        public long pciAddress() {
            return BAR2_ADDRESS;
        }

        @Override
        public int load32(long offset) {
            return controller.gone
                    ? -1
                    : controller.bar2().get(ValueLayout.JAVA_INT_UNALIGNED, offset);
        }

        @Override
        public void store32(long offset, int value) {
            if (!controller.wipesAreLost) {
                controller.bar2().set(ValueLayout.JAVA_INT_UNALIGNED, offset, value);
            }
        }

        @Override
        public long load64(long offset) {
            return controller.gone
                    ? -1
                    : controller.bar2().get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
        }

        @Override
        public void store64(long offset, long value) {
            if (!controller.wipesAreLost) {
                controller.bar2().set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
            }
        }

        @Override
        public Doorbell doorbell(long offset) {
            throw new IndexOutOfBoundsException();
        }
    }
}
