package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.FaultPlan;
import dev.peerlane.emulator.bus.Occasion;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The controller memory buffer: its registers, and the addresses at which the controller finds it
 * (NVMe Base 2.0, 8.5). A controller with CAP.CMBS uses CBA, an older one the address of the BAR.
 */
final class Cmb {
    /** Result of {@link #offsetOf}: no byte is in the CMB. */
    static final long OUTSIDE = -1;

    /** Result of {@link #offsetOf}: some bytes are in the CMB and others are not. */
    static final long PARTLY = -2;

    private final @Nullable CmbModel model;
    private final EmulatedFunction function;
    private final EmulatedFunction.@Nullable BarSpace bar;
    private final MemorySegment memory;
    private final FaultPlan faults;
    private int withdrawn;
    private boolean refused;
    private long cmbmsc;
    private boolean cbai;
    private long windowBase;
    private long windowBytes;

    Cmb(EmulatedFunction function, @Nullable CmbModel model, FaultPlan faults) {
        this.faults = faults;
        this.function = function;
        this.model = model;
        EmulatedFunction.BarSpace found = null;
        MemorySegment slice = MemorySegment.ofArray(new byte[0]);
        for (EmulatedFunction.BarSpace candidate : function.bars()) {
            MemorySegment backing = candidate.memory();
            if (model != null && backing != null && candidate.index() == model.bar()) {
                found = candidate;
                slice = backing.asSlice(model.offsetBytes(), model.sizeBytes());
            }
        }
        this.bar = found;
        this.memory = slice;
        refresh();
    }

    /** Returns the memory of the CMB. */
    MemorySegment memory() {
        return memory;
    }

    /** Returns CMBSZ bits 4:0: the uses that the CMB supports. */
    int support() {
        return model == null ? 0 : model.support() & ~withdrawn;
    }

    /** Stops supporting data in the CMB. */
    void withdrawData() {
        withdrawn = CmbModel.RDS | CmbModel.WDS;
    }

    /** Supports again what the CMB supported at first. */
    void repair() {
        withdrawn = 0;
        function.hole(null);
    }

    /** Returns CMBLOC bits 8:3: the restrictions that do not apply. */
    int rules() {
        return model == null ? 0 : model.rules();
    }

    /** Returns whether CAP.CMBS is set. */
    boolean hasSpaceControl() {
        return model != null && model.version() == CmbModel.Version.V1_4;
    }

    int load32(int offset) {
        return switch (offset) {
            case Reg.CMBLOC -> model != null && shown() ? model.cmbloc() : 0;
            case Reg.CMBSZ -> model != null && shown() ? model.cmbsz() & ~withdrawn : 0;
            case Reg.CMBMSC -> (int) cmbmsc;
            case Reg.CMBMSC + 4 -> (int) (cmbmsc >>> 32);
            case Reg.CMBSTS -> cbai ? 1 : 0;
            case Reg.CMBEBS -> model != null ? model.cmbebs() : 0;
            case Reg.CMBSWTP -> model != null ? model.cmbswtp() : 0;
            default -> 0;
        };
    }

    /** Writes CMBMSC or one half of it. The window moves at once, whatever the other half holds. */
    void storeSpaceControl(long value) {
        cmbmsc = value & ~0xffcL;
        refused = new Cmbmsc(cmbmsc).cmse() && strike(faults.next(Occasion.CMB_ENABLE));
        refresh();
    }

    /** Applies a fault; returns whether the address is refused. */
    private boolean strike(@Nullable Fault fault) {
        if (fault == null || fault.kind() != Fault.Kind.CMB_HOLE) {
            return fault != null;
        }
        if (model != null && bar != null) {
            long from = Math.min(fault.first(), model.sizeBytes());
            long rest = model.sizeBytes() - from;
            long bytes = fault.length() == 0 ? rest : Math.min(fault.length(), rest);
            function.hole(new EmulatedFunction.Hole(bar, model.offsetBytes() + from, bytes));
        }
        return false;
    }

    long spaceControl() {
        return cmbmsc;
    }

    /** Applies a Function Level Reset, which sets CMBMSC to zero. A controller reset keeps it. */
    void functionReset() {
        cmbmsc = 0;
        refused = false;
        refresh();
    }

    /** Computes the window again from CMBMSC or the BAR. */
    void refresh() {
        cbai = false;
        windowBytes = 0;
        if (model == null || bar == null) {
            return;
        }
        if (!hasSpaceControl()) {
            windowBase = function.barAddress(bar) + model.offsetBytes();
            windowBytes = Math.min(model.sizeBytes(), bar.sizeBytes() - model.offsetBytes());
            return;
        }
        Cmbmsc control = new Cmbmsc(cmbmsc);
        if (!control.cre() || !control.cmse()) {
            return;
        }
        long base = control.baseAddress();
        long last = base + model.sizeBytes() - 1;
        int bits = model.addressBits();
        boolean wraps = Long.compareUnsigned(last, base) < 0;
        if (refused || wraps || (bits < 64 && last >>> bits != 0)) {
            cbai = true;
            return;
        }
        windowBase = base;
        windowBytes = model.sizeBytes();
    }

    /**
     * Returns the offset in the CMB of an address in a command, {@link #OUTSIDE} or {@link
     * #PARTLY}.
     */
    long offsetOf(long address, long bytes) {
        long offset = address - windowBase;
        if (windowBytes == 0) {
            return OUTSIDE;
        }
        if (offset >= 0 && offset < windowBytes) {
            return offset <= windowBytes - bytes ? offset : PARTLY;
        }
        return offset < 0 && offset + bytes > 0 ? PARTLY : OUTSIDE;
    }

    private boolean shown() {
        return !hasSpaceControl() || (cmbmsc & 1) != 0;
    }
}
