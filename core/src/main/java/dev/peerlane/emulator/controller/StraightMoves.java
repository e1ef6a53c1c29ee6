package dev.peerlane.emulator.controller;

import dev.peerlane.Bits;
import dev.peerlane.emulator.media.Media;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.pci.Direction;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Moves the data of a command between memory and medium directly, without a buffer. */
final class StraightMoves {
    private static final int PAGE_BYTES = Bits.PAGE_BYTES;

    private final DmaPort dma;
    private final Cmb cmb;

    StraightMoves(DmaPort dma, Cmb cmb) {
        this.dma = dma;
        this.cmb = cmb;
    }

    /**
     * Returns whether the data of a command may move directly: no fault is planned for it, and all
     * data is in the controller's own CMB in one piece; if data moves in runs, it may also be in
     * several pieces and in host memory.
     */
    boolean takes(Command command, Media media, int blockBytes) {
        if (command.fault() != null || !dma.isHurried()) {
            return false;
        }
        DataPages pages = command.pages();
        int count = pages.count();
        if (count == 1 && cmb.offsetOf(pages.address(0), pages.bytes(0)) >= 0) {
            return true;
        }
        if (!dma.movesRuns() || !media.takesAnyMemory()) {
            return false;
        }
        // a client's memory may disappear while it is read; this way no block is written in part
        int wholeBytes = command.toHost() ? 1 : blockBytes;
        for (int i = 0; i < count; i++) {
            long address = pages.address(i);
            int bytes = pages.bytes(i);
            boolean whole = wholeBytes <= PAGE_BYTES && ((address | bytes) & (wholeBytes - 1)) == 0;
            boolean own = cmb.offsetOf(address, bytes) >= 0;
            if (!whole || (!own && dma.hostRange(address, bytes) == null)) {
                return false;
            }
        }
        return true;
    }

    /** Moves the data of a command that {@link #takes} accepted. */
    void move(Command command, Media media, long position, boolean durable) throws IOException {
        DataPages pages = command.pages();
        Direction direction = command.toHost() ? Direction.WRITE : Direction.READ;
        for (int i = 0; i < pages.count(); i++) {
            long address = pages.address(i);
            long bytes = pages.bytes(i);
            long own = cmb.offsetOf(address, bytes);
            AddressMap.Range host = own >= 0 ? null : dma.hostRange(address, bytes);
            MemorySegment memory = host == null ? cmb.memory() : host.memory();
            long offset = host == null ? own : host.memoryOffset() + (address - host.base());
            if (direction == Direction.WRITE) {
                media.read(position + pages.dataOffset(i), memory, offset, bytes);
            } else {
                media.write(position + pages.dataOffset(i), memory, offset, bytes, durable);
            }
            if (host == null) {
                dma.movedOwn(address, bytes, direction, DmaKind.IO_DATA);
            } else {
                dma.movedInHost(address, bytes, direction);
            }
        }
    }
}
