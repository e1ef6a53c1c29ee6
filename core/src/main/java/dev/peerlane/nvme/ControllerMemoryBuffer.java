package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.pci.Bdf;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsts;
import dev.peerlane.spec.wire.Reg;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The controller memory buffer (CMB) of a controller (NVMe Base 2.0, 8.5), for use by its peers, in
 * every version since 1.2.
 *
 * <p>Between {@link #enable} and {@link #disable}, its buffers can be the data of commands on any
 * controller of the domain that was {@linkplain PeerBuffer#admit admitted}. The bus address of a
 * buffer is the same for all of them, because the owner's window (CBA) is set to the address that
 * the peers use.
 *
 * <p>When a controller Reads into a CMB that another device owns, completion does not mean arrival.
 * A {@link dev.peerlane.copy.ReadFence} tells when the data has arrived.
 *
 * <p>Close a buffer only when no command of any controller can still touch it. A command that was
 * aborted or has timed out can, until its queue is deleted. Data in a CMB outlives the process
 * unless it is overwritten, which closing a buffer does.
 *
 * <p>A controller reset keeps the buffers but not their content. If the CMB's address had to
 * change, the buffers refuse every use. Used by the controller's owner thread; a call by another
 * thread is refused before it does anything.
 */
public final class ControllerMemoryBuffer extends PeerMemory {
    private static final int CRE = new Cmbmsc(0).withCre(true).lowerHalf();

    /** What the CMB uses of its controller. */
    interface Host {
        Registers registers();

        /** Checks that the controller takes commands. */
        void checkRunning();

        /**
         * Returns the exception to throw: the fault of a controller that is gone or was reset, if
         * that explains {@code seen}.
         */
        RuntimeException explain(RuntimeException seen, String when);
    }

    private final Host host;
    private final OwnerThread thread;
    private final Pieces pieces = new Pieces();
    private final PciDevice device;
    private final Bar bar;
    private final CmbInfo info;
    private final long offset;
    private final long sizeBytes;
    private final List<CmbBuffer> live = new ArrayList<>();
    private final Set<Bdf> admitted = new LinkedHashSet<>();

    private CmbAllocator allocator;
    private @Nullable DmaDomain domain;
    private @Nullable PeerMapping mapping;
    private @Nullable PeerBuffer whole;
    private @Nullable CmbJournal journal;

    ControllerMemoryBuffer(
            Host host, OwnerThread thread, PciDevice device, CmbInfo info, CmbProbe.Found found) {
        this.host = host;
        this.thread = thread;
        this.device = device;
        this.bar = found.bar();
        this.info = info;
        this.offset = found.offset();
        this.sizeBytes = found.sizeBytes();
        this.allocator = new CmbAllocator(sizeBytes);
    }

    private Registers registers() {
        return host.registers();
    }

    /**
     * Returns the fields of its registers, and of the PMR's, as they read now.
     *
     * @throws ControllerFault if the controller is gone, has failed or was reset: they say nothing
     *     then
     */
    public List<CmbField> describe() {
        checkOwner();
        CmbInfo now = CmbInfo.read(registers(), info.cap(), info.vs());
        registers().checkHealth("when the registers of its CMB had been read");
        return CmbField.of(now);
    }

    private void checkOwner() {
        thread.check(owner());
    }

    /** Returns the offset of the CMB in its BAR, in bytes. */
    public long barOffset() {
        return offset;
    }

    /** Returns the index of the BAR that contains the CMB. */
    public int barIndex() {
        return bar.index();
    }

    /** Returns whether the declared size exceeds the BAR, so that the CMB was shortened. */
    public boolean isClamped() {
        return info.sizeBytes() != sizeBytes;
    }

    /** Returns whether the CMB is enabled. */
    public boolean isEnabled() {
        return mapping != null;
    }

    /**
     * Returns the bus address of the first byte.
     *
     * @throws PeerlaneException if the CMB is not enabled
     */
    public long busAddress() {
        return enabled().busAddress();
    }

    private PeerMapping enabled() {
        if (mapping == null) {
            throw PeerlaneException.machine(
                    "cmb-not-enabled",
                    owner() + ": the controller memory buffer is not enabled",
                    "enable it after the controller was opened or reset");
        }
        return mapping;
    }

    /**
     * Maps the CMB for the devices of a domain, then sets the owner's window to the same address.
     *
     * @throws PeerlaneException if the CMB can't be mapped, or the controller refuses the address
     *     (CMBSTS.CBAI); the CMB stays disabled then
     */
    public void enable(DmaDomain dma) {
        checkOwner();
        if (mapping != null) {
            if (domain == dma) {
                return;
            }
            throw new IllegalStateException(owner() + ": the CMB is enabled for another domain");
        }
        host.checkRunning();
        PeerMapping mapped;
        try {
            mapped = map(dma);
        } catch (RuntimeException e) {
            throw host.explain(e, "when its CMB was enabled");
        }
        domain = dma;
        mapping = mapped;
        allocator = new CmbAllocator(sizeBytes);
    }

    private PeerMapping map(DmaDomain dma) {
        PeerMapping mapped = dma.mapPeer(device, bar, offset, sizeBytes);
        try {
            admitted.forEach(mapped::admit);
            program(mapped.busAddress());
            return mapped;
        } catch (RuntimeException e) {
            mapped.close();
            hideWindow(CRE);
            throw e;
        }
    }

    /**
     * Writes CMBMSC (3.1.3.14) and checks the result. The register takes effect when its low half
     * is written.
     */
    private void program(long busAddress) {
        if (!info.cap().cmbs()) {
            if (busAddress != bar.pciAddress() + offset) {
                throw ControllerFault.cmbRefused(
                        owner(),
                        "the CMB of NVMe %s answers at 0x%x only, and was mapped at 0x%x"
                                .formatted(info.vs(), bar.pciAddress() + offset, busAddress),
                        "use a domain that maps BARs at their own address");
            }
            return;
        }
        Cmbmsc wanted = new Cmbmsc(0).withBaseAddress(busAddress).withCmse(true).withCre(true);
        Registers r = registers();
        if (r.load64LowFirst(Reg.CMBMSC) != wanted.raw()) {
            // An enabled window would pass through a mixed address, so disable it first.
            hideWindow(CRE);
        }
        r.store64HighFirst(Reg.CMBMSC, wanted.raw());
        long seen = r.load64LowFirst(Reg.CMBMSC);
        Cmbsts status = new Cmbsts(r.load32(Reg.CMBSTS));
        r.checkHealth("while its CMB was enabled");
        if (status.cbai() || seen != wanted.raw()) {
            throw ControllerFault.cmbRefused(
                    owner(),
                    "the controller refuses the CMB address 0x%x: CMBSTS %08Xh, CMBMSC %016Xh"
                            .formatted(busAddress, status.raw(), seen),
                    "look for newer firmware, or use another device's CMB");
        }
    }

    /** Disables the owner's window, low half first, and checks that it is disabled. */
    private void hideWindow(int lowHalf) {
        if (info.cap().cmbs()) {
            Registers r = registers();
            r.store32(Reg.CMBMSC, lowHalf);
            r.load32(Reg.CMBMSC);
            r.store64HighFirst(Reg.CMBMSC, Integer.toUnsignedLong(lowHalf));
        }
    }

    /**
     * Disables the CMB: removes the mapping, then disables the owner's window. Call this only when
     * no command of any controller uses the CMB.
     *
     * @throws IllegalStateException if buffers of it are open
     */
    public void disable() {
        checkOwner();
        if (!live.isEmpty()) {
            throw new IllegalStateException(
                    "%s: %d buffers of the CMB are open".formatted(owner(), live.size()));
        }
        unmap();
        admitted.clear();
        hideWindow(CRE);
    }

    private void unmap() {
        PeerMapping mapped = mapping;
        mapping = null;
        if (mapped != null) {
            mapped.close();
        }
    }

    /** Called before the function is reset, which may revoke mappings of its BARs. */
    void beforeFunctionReset() {
        unmap();
    }

    /** Called after a reset. If the CMB was enabled, maps it again and programs the window. */
    void afterReset() {
        if (domain == null) {
            return;
        }
        if (mapping == null) {
            mapping = map(domain);
        } else {
            program(mapping.busAddress());
        }
    }

    /**
     * Overwrites the open buffers. Called while the controller still runs and no command is in
     * flight.
     */
    void wipeOpen() {
        for (CmbBuffer buffer : List.copyOf(live)) {
            buffer.close();
        }
    }

    /**
     * Disables the CMB when the controller closes. No command is in flight any more. Does not throw
     * if buffers are open.
     */
    void shutDown() {
        live.clear();
        unmap();
        domain = null;
        hideWindow(0);
    }

    /** Sets the journal that records every buffer from now on. */
    void journal(CmbJournal told) {
        checkOwner();
        journal = told;
    }

    /** Implements the interface through which buffers see the CMB. */
    private final class Pieces implements CmbBuffer.Host {
        @Override
        public String owner() {
            return ControllerMemoryBuffer.this.owner();
        }

        @Override
        public void checkHealth() {
            ControllerMemoryBuffer.this.checkHealth();
        }

        @Override
        public Bar bar() {
            return bar;
        }

        @Override
        public long barOffset() {
            return offset;
        }

        @Override
        public void admit(Bdf initiator) {
            enabled().admit(initiator);
            admitted.add(initiator);
        }

        @Override
        public void checkServes(long base) {
            if (enabled().busAddress() != base) {
                throw ControllerFault.cmbRefused(
                        owner(),
                        "the CMB moved from 0x%x to 0x%x in a reset".formatted(base, busAddress()),
                        "close the buffer and take a new one");
            }
        }

        @Override
        public void giveBack(CmbBuffer buffer, long at, long bytes, long base, boolean wipe) {
            if (!live.remove(buffer)) {
                return; // the controller was closed before the buffer
            }
            if (buffer == whole) {
                whole = null;
            }
            allocator.give(at);
            boolean reachable = mapping != null && mapping.busAddress() == base;
            if (wipe && reachable) {
                wipe(at, bytes);
            }
            if (journal != null && (reachable || !wipe)) {
                journal.cleared(at, bytes);
            }
        }
    }

    private void wipe(long at, long bytes) {
        long piece = CmbAllocator.pieceBytes(bytes);
        bar.fill(offset + at, piece, 0);
        // Read back: once the read has returned, the posted writes to the same place have arrived.
        long seen = bar.load64(offset + at + piece - 8);
        if (seen != 0 && registers().load32(Reg.CSTS) != -1) {
            throw ControllerFault.notWiped(owner(), offset + at, seen);
        }
    }

    @Override
    public String owner() {
        return device.locator();
    }

    @Override
    public boolean isHost() {
        return false;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public long largestFreeBytes(long alignBytes) {
        PeerMapping mapped = mapping;
        return mapped == null || whole != null
                ? 0
                : allocator.largestFreeBytes(alignBytes, mapped.busAddress());
    }

    @Override
    public boolean ownerMayRead() {
        return info.cmbsz().rds();
    }

    @Override
    public boolean ownerMayWrite() {
        return info.cmbsz().wds();
    }

    @Override
    public boolean loadsOvertakeWrites() {
        return info.cmbebs().cmbrbb();
    }

    @Override
    public void checkHealth() {
        checkOwner();
        registers().checkHealth("while its memory carried data");
    }

    @Override
    public PeerBuffer allocate(long bytes, long alignBytes) {
        checkOwner();
        if (bytes <= 0 || (bytes & 3) != 0) {
            throw new IllegalArgumentException("a buffer of %d bytes".formatted(bytes));
        }
        if (alignBytes <= 0 || (alignBytes & (alignBytes - 1)) != 0) {
            throw new IllegalArgumentException("%d is not a power of two".formatted(alignBytes));
        }
        long base = enabled().busAddress();
        long at = whole != null ? -1 : allocator.take(bytes, alignBytes, base);
        if (at < 0) {
            throw PeerlaneException.machine(
                    "cmb-exhausted",
                    "%s: no %d bytes aligned to %d in the CMB of %d bytes: %d free, %d in a row"
                            .formatted(
                                    owner(),
                                    bytes,
                                    alignBytes,
                                    sizeBytes,
                                    whole != null ? 0 : allocator.freeBytes(),
                                    largestFreeBytes()),
                    "ask for less, or close buffers first");
        }
        if (journal != null) {
            try {
                journal.taken(at, bytes);
            } catch (RuntimeException e) {
                allocator.give(at);
                throw e;
            }
        }
        CmbBuffer buffer = new CmbBuffer(pieces, thread, at, bytes, base);
        live.add(buffer);
        return buffer;
    }

    /**
     * Allocates the whole CMB as one buffer.
     *
     * @throws PeerlaneException if the CMB is not enabled
     * @throws IllegalStateException if the whole CMB is already allocated, or buffers of it are
     *     open
     */
    public PeerBuffer mapWhole() {
        checkOwner();
        if (whole != null || !live.isEmpty()) {
            throw new IllegalStateException(
                    "%s: %d buffers of the CMB are open".formatted(owner(), live.size()));
        }
        PeerBuffer buffer = allocate(sizeBytes, Cmbmsc.ALIGNMENT_BYTES);
        whole = buffer;
        return buffer;
    }

    /**
     * Frees the buffer that {@link #mapWhole} returned.
     *
     * @throws IllegalStateException if {@link #mapWhole} was not called before
     */
    public void unmapWhole() {
        checkOwner();
        if (whole == null) {
            throw new IllegalStateException(owner() + ": the CMB was not mapped as a whole");
        }
        whole.close();
    }
}
