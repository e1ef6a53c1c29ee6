package dev.peerlane.vfio;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatorWiring;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.MemorySegment;

/**
 * An emulated drive behind a fake kernel. Its registers are accessed by message, the BAR of its CMB
 * is mapped.
 */
final class EmulatedFakeDevice extends FakeDevice {
    private final PciDevice device;
    private final EmulatorWiring wiring;

    EmulatedFakeDevice(PciDevice device, int group, EmulatorWiring wiring) {
        super(device.bdf(), group);
        this.device = device;
        this.wiring = wiring;
    }

    private Bar bar(int region) {
        try {
            return device.bar(region);
        } catch (PeerlaneException e) {
            return null;
        }
    }

    @Override
    long size(int region) {
        if (region == VfioAbi.RegionInfo.CONFIG) {
            return 4096;
        }
        Bar bar = bar(region);
        return bar == null ? 0 : bar.sizeBytes();
    }

    @Override
    MemorySegment memory(int region) {
        MemorySegment memory = wiring.memory(bdf, region);
        return memory == null ? null : memory.asSlice(0, bar(region).sizeBytes());
    }

    @Override
    boolean msixMappable(int region) {
        return true;
    }

    @Override
    long load(int region, long offset, int bytes) {
        if (region == VfioAbi.RegionInfo.CONFIG) {
            return device.config().load32((int) offset);
        }
        return bytes == 8 ? bar(region).load64(offset) : bar(region).load32(offset);
    }

    @Override
    void store(int region, long offset, int bytes, long value) {
        if (region == VfioAbi.RegionInfo.CONFIG) {
            if (bytes == 2) {
                device.config().store16((int) offset, (int) value & 0xffff);
            } else {
                device.config().store32((int) offset, (int) value);
            }
        } else if (bytes == 8) {
            bar(region).store64(offset, value);
        } else {
            bar(region).store32(offset, (int) value);
        }
    }

    private int command() {
        return device.config().load16(ConfigSpace.COMMAND);
    }

    @Override
    boolean decodes() {
        return !gone && (command() & ConfigSpace.COMMAND_MEMORY) != 0;
    }

    @Override
    boolean masters() {
        return !gone && (command() & ConfigSpace.COMMAND_BUS_MASTER) != 0;
    }

    @Override
    void reset() {
        resets++;
        device.reset();
    }
}
