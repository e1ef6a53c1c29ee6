package dev.peerlane.emulator;

import java.lang.foreign.MemorySegment;

/** A controller's way to memory: its own CMB inside the function, everything else on the bus. */
final class DmaPort {
    private final EmulatedFunction function;
    private final Cmb cmb;
    private final Interconnect interconnect;

    DmaPort(EmulatedFunction function, Cmb cmb, Interconnect interconnect) {
        this.function = function;
        this.cmb = cmb;
        this.interconnect = interconnect;
    }

    /** Reads memory into {@code target}; false if it failed. */
    boolean read(
            long address, MemorySegment target, long offset, long bytes, Interconnect.Kind kind) {
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            MemorySegment.copy(cmb.memory(), own, target, offset, bytes);
            function.traffic().ownMemory += bytes;
            return true;
        }
        return interconnect.read(function, address, target, offset, bytes, kind);
    }

    /** Writes {@code source} to memory; false if it failed. */
    boolean write(
            long address, MemorySegment source, long offset, long bytes, Interconnect.Kind kind) {
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            Interconnect.store(cmb.memory(), own, source, offset, bytes, kind);
            function.traffic().ownMemory += bytes;
            return true;
        }
        return interconnect.write(function, address, source, offset, bytes, kind);
    }
}
