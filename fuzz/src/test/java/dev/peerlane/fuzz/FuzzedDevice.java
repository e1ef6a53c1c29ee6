package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.sysfs.ConfigBytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A PCI function with registers in BAR 0 and memory in BAR 2. Only its Command register is
 * reliable.
 */
final class FuzzedDevice extends PciDevice {
    private static final int REGISTERS = 0x2000;
    private static final int MEMORY = 0x2_0000;
    private static final long BAR0 = 0x10_0000_0000L;
    private static final long BAR2 = 0x20_0000_0000L;

    private final FuzzedController controller;
    private final Input input;
    private final boolean configLies;
    private final boolean resetWorks;
    private final Config config = new Config();

    FuzzedDevice(FuzzedController controller, Input input, boolean configLies) {
        this.controller = controller;
        this.input = input;
        this.configLies = configLies;
        resetWorks = !configLies || !input.flag();
    }

    boolean isBusMaster() {
        return (config.truth.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER) != 0;
    }

    private final class Config extends ConfigSpace {
        private final ConfigBytes truth = new ConfigBytes(new byte[4096]);

        Config() {
            truth.store32(VENDOR_ID, 0x0001_1b36);
            truth.store32(CLASS_REVISION, 0x010802 << 8);
            truth.store16(STATUS, 0x10);
            truth.store32(CAPABILITIES, 0x40);
            truth.store32(0x40, CAP_PCI_EXPRESS);
            truth.store16(0x48, 1 << 4);
        }

        @Override
        public int load32(int offset) {
            if (offset < 0 || offset > 4092 || (offset & 3) != 0) {
                throw new IllegalArgumentException("no register: " + offset);
            }
            int value = truth.load32(offset);
            return configLies && offset != COMMAND ? FuzzedController.twist(input, value) : value;
        }

        @Override
        public void store32(int offset, int value) {
            truth.store32(offset, value);
        }

        @Override
        public void store16(int offset, int value) {
            truth.store16(offset, value);
        }
    }

    @Override
    public Bdf bdf() {
        return new Bdf(0, 1, 0, 0);
    }

    @Override
    public String locator() {
        return "fuzz:0";
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public Bar bar(int index) {
        return switch (index) {
            case 0 -> new Registers();
            case 2 -> new Memory();
            default -> throw PeerlaneException.machine("no-bar", "no BAR " + index, "none");
        };
    }

    @Override
    public void busMaster(boolean enabled) {
        int command = config.truth.load16(ConfigSpace.COMMAND);
        config.truth.store16(ConfigSpace.COMMAND, ConfigSpace.withBusMaster(command, enabled));
    }

    @Override
    public void reset() {
        if (!resetWorks) {
            throw PeerlaneException.machine("no-reset", "no function reset", "none");
        }
        controller.reset();
    }

    @Override
    public void close() {
        busMaster(false);
    }

    private final class Registers extends Bar {
        @Override
        public int index() {
            return 0;
        }

        @Override
        public long sizeBytes() {
            return REGISTERS;
        }

        @Override
        public long pciAddress() {
            return BAR0;
        }

        private int checked(long offset) {
            if (offset < 0 || offset > REGISTERS - 4 || (offset & 3) != 0) {
                throw new IndexOutOfBoundsException("no register at " + offset);
            }
            return (int) offset;
        }

        @Override
        public int load32(long offset) {
            return controller.load(checked(offset));
        }

        @Override
        public void store32(long offset, int value) {
            controller.store(checked(offset), value);
        }

        @Override
        public long load64(long offset) {
            throw new IllegalStateException("8 bytes of a register at once");
        }

        @Override
        public void store64(long offset, long value) {
            throw new IllegalStateException("8 bytes of a register at once");
        }

        @Override
        public Doorbell doorbell(long offset) {
            int at = checked(offset);
            return new Doorbell() {
                @Override
                public void ring(int value) {
                    controller.store(at, value);
                }
            };
        }
    }

    private static final class Memory extends Bar {
        private final MemorySegment bytes = MemorySegment.ofArray(new long[MEMORY / 8]);

        @Override
        public int index() {
            return 2;
        }

        @Override
        public long sizeBytes() {
            return MEMORY;
        }

        @Override
        public long pciAddress() {
            return BAR2;
        }

        @Override
        public int load32(long offset) {
            return bytes.get(ValueLayout.JAVA_INT, offset);
        }

        @Override
        public void store32(long offset, int value) {
            bytes.set(ValueLayout.JAVA_INT, offset, value);
        }

        @Override
        public long load64(long offset) {
            return bytes.get(ValueLayout.JAVA_LONG, offset);
        }

        @Override
        public void store64(long offset, long value) {
            bytes.set(ValueLayout.JAVA_LONG, offset, value);
        }

        @Override
        public Doorbell doorbell(long offset) {
            throw new IndexOutOfBoundsException("no doorbell");
        }
    }
}
