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
 * The controller memory buffer of a controller (NVMe Base 2.0, 8.5) as memory for its peers, in
 * every version since 1.2.
 *
 * <p>Between {@link #enable} and {@link #disable} its pieces can be the data of commands on any
 * controller of the domain that was {@linkplain PeerBuffer#admit admitted}, at one bus address that
 * is right for all: the owner's window (CBA) is set to the address that the peers use. A piece may
 * be closed only when no command of any controller can still touch it: a command that was aborted
 * or timed out counts until its queue is gone. What is in it outlives the process unless it is
 * overwritten, which closing does.
 *
 * <p>A controller reset keeps the pieces where they are but not what is in them; if the window had
 * to move, they refuse every use. Used by the controller's owner thread; a call by another one is
 * refused before it has done anything.
 */
public final class ControllerMemoryBuffer extends PeerMemory {
    private static final int CRE = new Cmbmsc(0).withCre(true).lowerHalf();

    /** What the buffer needs of its controller. */
    interface Host {
        Registers registers();

        /** Throws if the controller takes no commands. */
        void checkRunning();

        /** Returns what to throw: that the controller is gone or was reset, if that is why. */
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

    /** Returns the offset of the first byte in its BAR. */
    public long barOffset() {
        return offset;
    }

    /** Returns the BAR that it lies in. */
    public int barIndex() {
        return bar.index();
    }

    /** Returns whether the controller declares more bytes than its BAR has room for. */
    public boolean isClamped() {
        return info.sizeBytes() != sizeBytes;
    }

    /** Returns whether it is enabled. */
    public boolean isEnabled() {
        return mapping != null;
    }

    /**
     * Returns the bus address of its first byte.
     *
     * @throws PeerlaneException if it is not enabled
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
     * Maps it for the devices of the domain, then sets the owner's window to the same address.
     *
     * @throws PeerlaneException if it can't be mapped, or the controller refuses the address
     *     (CMBSTS.CBAI); it is as before then
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

    /** Sets CMBMSC (3.1.3.14), which takes effect when its low half is written, and checks it. */
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
            // A live window would pass through a mixed address: take it down first.
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

    /** Takes the owner's window down, low half first, and sees that it is. */
    private void hideWindow(int lowHalf) {
        if (info.cap().cmbs()) {
            Registers r = registers();
            r.store32(Reg.CMBMSC, lowHalf);
            r.load32(Reg.CMBMSC);
            r.store64HighFirst(Reg.CMBMSC, Integer.toUnsignedLong(lowHalf));
        }
    }

    /**
     * Takes it away from the devices: the mapping first, then the owner's window. Only when no
     * command of any controller uses it.
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

    /** Before the function is reset, which may revoke mappings of its BARs. */
    void beforeFunctionReset() {
        unmap();
    }

    /** After a reset: maps it again where it was enabled, and programs the window. */
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

    /** Overwrites what open buffers hold; the controller still runs, and no command does. */
    void wipeOpen() {
        for (CmbBuffer buffer : List.copyOf(live)) {
            buffer.close();
        }
    }

    /** For the controller's close: no command runs any more. Never throws for open buffers. */
    void shutDown() {
        live.clear();
        unmap();
        domain = null;
        hideWindow(0);
    }

    /** Sets the journal that records every piece from now on. */
    void journal(CmbJournal told) {
        checkOwner();
        journal = told;
    }

    /** What its pieces see of it. */
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
        // Read back: a posted write has arrived when a read of the same place comes home.
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
            throw new IllegalArgumentException("%d is no power of two".formatted(alignBytes));
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
     * Takes all of it as one buffer.
     *
     * @throws PeerlaneException if it is not enabled
     * @throws IllegalStateException if it is taken already, or buffers of it are open
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
     * Gives back what {@link #mapWhole} gave.
     *
     * @throws IllegalStateException if it was not taken
     */
    public void unmapWhole() {
        checkOwner();
        if (whole == null) {
            throw new IllegalStateException(owner() + ": the CMB was not mapped as a whole");
        }
        whole.close();
    }
}
