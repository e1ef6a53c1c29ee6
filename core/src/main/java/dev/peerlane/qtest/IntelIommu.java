package dev.peerlane.qtest;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * QEMU's {@code intel-iommu} with translation on. Only DMA buffers and peer windows are mapped,
 * each at its own address. So unless {@link #faults} reports it, no function has accessed anything
 * else.
 *
 * <p>The IOMMU keeps a limited number of faults and drops the rest, which {@link
 * FaultLog#overflowed} tells. Registers: VT-d 10.4. Used by the thread that owns the fabric.
 */
public final class IntelIommu {
    private static final long BASE = 0xfed9_0000L;
    private static final int CAP = 0x08;
    private static final int ECAP = 0x10;
    private static final int GCMD = 0x18;
    private static final int GSTS = 0x1c;
    private static final int RTADDR = 0x20;
    private static final int CCMD = 0x28;
    private static final int FSTS = 0x34;
    private static final int TRANSLATION = 1 << 31;
    private static final int ROOT_TABLE = 1 << 30;
    // without the GCMD bits that act once; the others must be written back unchanged (VT-d 10.4.4)
    private static final int LASTING = 0x96ff_ffff;
    private static final long INVALIDATE = 1L << 63;
    private static final long CONTEXT_GLOBAL = 1L << 61;
    private static final long IOTLB_GLOBAL = 1L << 60;
    private static final long DRAIN = 3L << 48;
    private static final int OVERFLOW = 1;
    private static final long TIMEOUT_NANOS = 2_000_000_000L;

    private final QtestSocket socket;
    private final Clock clock;
    private final VtdTables tables;
    private final int iotlb;
    private final int faultRecords;
    private final int faultRecordCount;

    private IntelIommu(QtestSocket socket, Clock clock, RamFile ram, long cap) {
        this.socket = socket;
        this.clock = clock;
        iotlb = (int) Bits.get(socket.readq(BASE + ECAP), 17, 8) * 16 + 8;
        faultRecords = (int) Bits.get(cap, 33, 24) * 16;
        faultRecordCount = (int) Bits.get(cap, 47, 40) + 1;
        tables = new VtdTables(ram, levels(cap));
    }

    /**
     * The faults since the last call of {@link IntelIommu#faults}.
     *
     * @param faults in the order of the recording registers
     * @param overflowed whether there were more faults
     */
    public record FaultLog(List<IommuFault> faults, boolean overflowed) {
        /** Copies the list. */
        public FaultLog {
            faults = List.copyOf(faults);
        }

        /** Returns whether there were no faults. */
        public boolean isEmpty() {
            return faults.isEmpty() && !overflowed;
        }
    }

    /**
     * Looks for the IOMMU. If there is one, turns translation on with nothing mapped. The DMA of
     * all functions must be off.
     */
    static Optional<IntelIommu> enable(QtestSocket socket, Clock clock, RamFile ram) {
        int version = socket.readl(BASE);
        long cap = socket.readq(BASE + CAP);
        if (version == 0 || version == -1 || cap == 0 || cap == -1) {
            return Optional.empty();
        }
        IntelIommu iommu = new IntelIommu(socket, clock, ram, cap);
        iommu.command(TRANSLATION, false);
        socket.writeq(BASE + RTADDR, iommu.tables.rootTable());
        iommu.command(ROOT_TABLE, true);
        iommu.invalidate();
        iommu.faults();
        iommu.command(TRANSLATION, true);
        return Optional.of(iommu);
    }

    /** Returns the faults since the last call, and clears them. */
    public FaultLog faults() {
        List<IommuFault> faults = new ArrayList<>();
        for (int i = 0; i < faultRecordCount; i++) {
            long at = BASE + faultRecords + 16L * i;
            long high = socket.readq(at + 8);
            if (high < 0) { // bit 127: the record holds a fault
                int requester = (int) Bits.get(high, 15, 0);
                Bdf bdf =
                        new Bdf(
                                0,
                                Bits.get(requester, 15, 8),
                                Bits.get(requester, 7, 3),
                                Bits.get(requester, 2, 0));
                long address = socket.readq(at) & -4096L;
                int reason = (int) Bits.get(high, 39, 32);
                Direction direction = Bits.bit(high, 62) ? Direction.READ : Direction.WRITE;
                faults.add(new IommuFault(bdf, address, direction, reason));
                socket.writel(at + 12, 1 << 31);
            }
        }
        boolean overflowed = (socket.readl(BASE + FSTS) & OVERFLOW) != 0;
        if (overflowed) {
            socket.writel(BASE + FSTS, OVERFLOW);
        }
        return new FaultLog(faults, overflowed);
    }

    /** Maps pages at their own addresses. */
    void map(long address, long bytes) {
        tables.map(address, bytes);
    }

    /**
     * Removes mappings. When this method returns, no function can access the pages any more. Does
     * nothing if QEMU is gone.
     */
    void unmap(long address, long bytes) {
        tables.unmap(address, bytes);
        if (socket.usable()) {
            invalidate();
        }
    }

    /** Turns translation off. */
    void disable() {
        command(TRANSLATION, false);
    }

    private static int levels(long cap) {
        int widths = (int) Bits.get(cap, 12, 8); // SAGAW
        if (Bits.bit(widths, 2)) {
            return 4;
        }
        if (Bits.bit(widths, 1)) {
            return 3;
        }
        throw PeerlaneException.machine(
                "iommu-unsupported",
                "the IOMMU at 0x%x has no page tables of 3 or 4 levels, CAP is 0x%x"
                        .formatted(BASE, cap),
                "Start QEMU with -device intel-iommu and no other IOMMU");
    }

    private void command(int bit, boolean on) {
        int status = socket.readl(BASE + GSTS) & LASTING;
        if (bit != ROOT_TABLE && ((status & bit) != 0) == on) {
            return;
        }
        socket.writel(BASE + GCMD, on ? status | bit : status & ~bit);
        await(() -> ((socket.readl(BASE + GSTS) & bit) != 0) == on, "a global command");
    }

    private void invalidate() {
        socket.writeq(BASE + CCMD, INVALIDATE | CONTEXT_GLOBAL);
        await(() -> socket.readq(BASE + CCMD) >= 0, "a context cache invalidation");
        socket.writeq(BASE + iotlb, INVALIDATE | IOTLB_GLOBAL | DRAIN);
        await(() -> socket.readq(BASE + iotlb) >= 0, "an IOTLB invalidation");
    }

    private void await(BooleanSupplier done, String what) {
        if (!clock.await(done, TIMEOUT_NANOS)) {
            throw PeerlaneException.io(
                    "iommu-timeout",
                    "the IOMMU at 0x%x did not complete %s".formatted(BASE, what),
                    "Restart QEMU and attach again");
        }
    }
}
