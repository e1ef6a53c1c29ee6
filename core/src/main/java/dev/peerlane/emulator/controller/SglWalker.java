package dev.peerlane.emulator.controller;

import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sgl;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/**
 * Finds the places of a command's data from its SGL (NVMe Base 2.0, 4.1.2). The descriptor in the
 * command is a data block, or points to segments of descriptors. Bit buckets, keyed data blocks,
 * offsets, and lists that are longer than the data are not supported.
 */
final class SglWalker extends DataWalker {
    private static final int MAX_SEGMENT_BYTES = 64 << 10;
    private static final int MAX_SEGMENTS = 256;

    private final boolean dwords;

    /**
     * Creates a walker.
     *
     * @param dwords whether addresses and lengths have to be multiples of 4
     */
    SglWalker(DmaPort dma, Cmb cmb, boolean dwords) {
        super(dma, cmb);
        this.dwords = dwords;
    }

    @Override
    int places(Command command, int pageBytes) {
        MemorySegment at = command.sqe();
        long offset = Sqe.PRP1;
        int type = Sgl.type(at, offset);
        if (Sgl.subtype(at, offset) != Sgl.SUBTYPE_ADDRESS) {
            return Status.SGL_TYPE_INVALID;
        }
        if (type == Sgl.DATA_BLOCK) {
            int status = block(command, Sgl.address(at, offset), Sgl.lengthBytes(at, offset));
            return status != 0 ? status : end(command);
        }
        if (type != Sgl.SEGMENT && type != Sgl.LAST_SEGMENT) {
            return Status.SGL_TYPE_INVALID;
        }
        return segments(command, Sgl.address(at, offset), Sgl.lengthBytes(at, offset), type);
    }

    private int segments(Command command, long address, long length, int firstType) {
        long next = address;
        long bytes = length;
        int type = firstType;
        for (int i = 0; i < MAX_SEGMENTS; i++) {
            if (bytes == 0 || bytes % Sgl.BYTES != 0 || (next & 7) != 0) {
                return Status.INVALID_SGL_SEGMENT;
            }
            if (bytes > MAX_SEGMENT_BYTES) {
                return Status.INVALID_SGL_COUNT;
            }
            int status = addList(command, next, bytes);
            if (status != 0) {
                return status;
            }
            MemorySegment list = list();
            long last = bytes - Sgl.BYTES;
            for (long at = 0; at < (type == Sgl.SEGMENT ? last : bytes); at += Sgl.BYTES) {
                status = descriptor(command, list, at);
                if (status != 0) {
                    return status;
                }
            }
            if (type == Sgl.LAST_SEGMENT) {
                return end(command);
            }
            // if the segment is not the last one, its last descriptor points to the next (4.1.2)
            type = Sgl.type(list, last);
            boolean leads = type == Sgl.SEGMENT || type == Sgl.LAST_SEGMENT;
            if (!leads || Sgl.subtype(list, last) != Sgl.SUBTYPE_ADDRESS) {
                return leads ? Status.SGL_TYPE_INVALID : Status.INVALID_SGL_SEGMENT;
            }
            next = Sgl.address(list, last);
            bytes = Sgl.lengthBytes(list, last);
        }
        return Status.INVALID_SGL_COUNT;
    }

    private int descriptor(Command command, MemorySegment list, long at) {
        int type = Sgl.type(list, at);
        if (type == Sgl.SEGMENT || type == Sgl.LAST_SEGMENT) {
            return Status.INVALID_SGL_SEGMENT;
        }
        if (type != Sgl.DATA_BLOCK || Sgl.subtype(list, at) != Sgl.SUBTYPE_ADDRESS) {
            return Status.SGL_TYPE_INVALID;
        }
        return block(command, Sgl.address(list, at), Sgl.lengthBytes(list, at));
    }

    private int block(Command command, long address, long length) {
        if (dwords && ((address | length) & 3) != 0) {
            return Status.SGL_GRANULARITY_INVALID;
        }
        DataPages pages = command.pages();
        if (length > command.bytes() - pages.added()) {
            return Status.DATA_SGL_LENGTH_INVALID;
        }
        return addData(pages, address, length);
    }

    private static int end(Command command) {
        return command.pages().added() == command.bytes() ? 0 : Status.DATA_SGL_LENGTH_INVALID;
    }
}
