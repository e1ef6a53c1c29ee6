package dev.peerlane.emulator;

import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;

/** Lets a test that plays an operating system set up an emulated fabric's DMA itself. */
public final class EmulatorWiring {
    private final EmulatedFabric fabric;

    public EmulatorWiring(EmulatedFabric fabric) {
        this.fabric = fabric;
    }

    private EmulatedFunction function(Bdf bdf) {
        return fabric.functions().stream().filter(f -> f.bdf().equals(bdf)).findFirst().get();
    }

    private static EmulatedFunction.BarSpace space(EmulatedFunction function, int bar) {
        return function.bars().stream().filter(b -> b.index() == bar).findFirst().orElse(null);
    }

    /** Returns the memory behind a BAR, or null if the BAR has registers or does not exist. */
    public MemorySegment memory(Bdf bdf, int bar) {
        EmulatedFunction.BarSpace space = space(function(bdf), bar);
        return space == null || space.registerBytes() > 0 ? null : space.memory();
    }

    /** Maps memory for devices; returns what unmaps it. */
    public Runnable mapHost(long busAddress, MemorySegment memory) {
        return add(new AddressMap.Range(busAddress, memory.byteSize(), memory, 0, null, null));
    }

    /** Maps a piece of a BAR for devices; returns what unmaps it. */
    public Runnable mapBar(long busAddress, Bdf bdf, int bar, long offset, long bytes) {
        EmulatedFunction function = function(bdf);
        EmulatedFunction.BarSpace space = space(function, bar);
        long place = function.barAddress(space) + offset;
        return add(
                new AddressMap.Range(
                        busAddress, place, bytes, space.memory(), offset, function, space));
    }

    private Runnable add(AddressMap.Range range) {
        if (!fabric.addresses().add(range)) {
            throw new AssertionError("two things at bus address " + range.base());
        }
        return () -> fabric.addresses().remove(range);
    }
}
