package dev.peerlane.emulator;

import dev.peerlane.emulator.bus.HostAccess;
import dev.peerlane.emulator.controller.RegisterBlock;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.mem.Mmio;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A BAR of an emulated drive. Registers are at its start and memory follows; either part may be
 * empty. While the function does not decode memory, loads return all ones and stores have no
 * effect. Only the fabric's owner thread may use it.
 */
final class EmulatedBar extends Bar {
    /** The open device that the BAR belongs to. */
    interface Opened {
        /** Throws if the calling thread is not the owner. */
        void checkOwner();

        /** Returns whether the device is still open. */
        boolean isOpen();
    }

    private final Opened device;
    private final EmulatedFunction function;
    private final RegisterBlock registers;
    private final EmulatedFunction.BarSpace space;
    private final long memoryAddress;
    private final @Nullable HostAccess host;

    EmulatedBar(
            Opened device,
            EmulatedFunction function,
            EmulatedFunction.BarSpace space,
            RegisterBlock registers,
            @Nullable HostAccess host) {
        this.device = device;
        this.function = function;
        this.space = space;
        this.registers = registers;
        this.host = host;
        MemorySegment memory = space.memory();
        this.memoryAddress = memory == null ? 0 : memory.address();
    }

    boolean isOf(PciDevice owner) {
        return owner == device;
    }

    EmulatedFunction function() {
        return function;
    }

    EmulatedFunction.BarSpace space() {
        return space;
    }

    @Override
    public int index() {
        return space.index();
    }

    @Override
    public long sizeBytes() {
        return space.sizeBytes();
    }

    @Override
    public long pciAddress() {
        return function.barAddress(space);
    }

    @Override
    public int load32(long offset) {
        check(offset, 4);
        if (!answers()) {
            return -1;
        }
        return host == null
                ? loadHere32(offset)
                : (int) host.load(function, at(offset), 4, () -> loadHere32(offset));
    }

    private int loadHere32(long offset) {
        if (!answers()) {
            return -1;
        }
        if (offset < space.registerBytes()) {
            return registers.load32(offset);
        }
        return memoryAddress == 0 ? 0 : Mmio.load32Acquire(memoryAddress + offset);
    }

    @Override
    public void store32(long offset, int value) {
        check(offset, 4);
        if (!answers()) {
            return;
        }
        if (host == null) {
            storeHere32(offset, value);
        } else {
            host.store(function, at(offset), 4, () -> storeHere32(offset, value));
        }
    }

    private void storeHere32(long offset, int value) {
        if (!answers()) {
            return;
        }
        if (offset < space.registerBytes()) {
            registers.store32(offset, value);
        } else if (memoryAddress != 0) {
            Mmio.store32Release(memoryAddress + offset, value);
        }
    }

    @Override
    public long load64(long offset) {
        check(offset, 8);
        if (!answers()) {
            return -1;
        }
        return host == null
                ? loadHere64(offset)
                : host.load(function, at(offset), 8, () -> loadHere64(offset));
    }

    private long loadHere64(long offset) {
        if (!answers()) {
            return -1;
        }
        if (offset < space.registerBytes()) {
            return registers.load64(offset);
        }
        return memoryAddress == 0 ? 0 : Mmio.load64Acquire(memoryAddress + offset);
    }

    @Override
    public void store64(long offset, long value) {
        check(offset, 8);
        if (!answers()) {
            return;
        }
        if (host == null) {
            storeHere64(offset, value);
        } else {
            host.store(function, at(offset), 8, () -> storeHere64(offset, value));
        }
    }

    private void storeHere64(long offset, long value) {
        if (!answers()) {
            return;
        }
        if (offset < space.registerBytes()) {
            registers.store64(offset, value);
        } else if (memoryAddress != 0) {
            Mmio.store64Release(memoryAddress + offset, value);
        }
    }

    @Override
    public Doorbell doorbell(long offset) {
        check(offset, 4);
        return new RegisterDoorbell(this, offset);
    }

    /**
     * Returns whether accesses reach the BAR. After the device is closed they must not, because the
     * fabric frees its memory when it closes.
     */
    private boolean answers() {
        return function.decodes() && device.isOpen();
    }

    private long at(long offset) {
        return pciAddress() + offset;
    }

    private void check(long offset, int width) {
        device.checkOwner();
        Objects.checkFromIndexSize(offset, width, space.sizeBytes());
        if ((offset & (width - 1)) != 0) {
            throw new IndexOutOfBoundsException(
                    "offset 0x%x is not a multiple of %d".formatted(offset, width));
        }
    }

    /** A doorbell register, which only latches. */
    private static final class RegisterDoorbell extends Doorbell {
        private final EmulatedBar bar;
        private final long offset;

        RegisterDoorbell(EmulatedBar bar, long offset) {
            this.bar = bar;
            this.offset = offset;
        }

        @Override
        public void ring(int value) {
            bar.store32(offset, value);
        }
    }
}
