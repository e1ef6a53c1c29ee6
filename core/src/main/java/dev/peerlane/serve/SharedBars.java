package dev.peerlane.serve;

import dev.peerlane.Bits;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.vfiouser.Mapping;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of one drive that clients can map: files, each with the doorbells or the CMB. It is
 * also the allocator of the emulated fabric, which asks for the memory of one BAR at most.
 */
final class SharedBars implements SegmentAllocator, AutoCloseable {
    /** Offset of the doorbells in BAR 0. */
    static final long DOORBELLS = 0x1000;

    /** A file in memory with its mapping. */
    static final class File {
        private final String object;
        private final String name;
        private final Mapping mapping;
        private int fd;

        private File(String drive, long bytes) {
            name = "peerlane-" + drive;
            object = "shared memory of drive " + drive;
            fd = create(bytes);
            try {
                mapping = Mapping.of(fd, 0, bytes, object);
            } catch (RuntimeException e) {
                KernelCalls.instance().close(fd);
                throw e;
            }
        }

        private int create(long bytes) {
            return (int)
                    KernelException.check(
                            MemoryFile.create(name, bytes),
                            "no-shared-memory",
                            "memfd_create",
                            object,
                            "See how much memory is free and how many files are open");
        }

        int fd() {
            return fd;
        }

        MemorySegment memory() {
            return mapping.segment();
        }

        /**
         * Replaces the file by a zeroed one. A process that has the old descriptor keeps the old
         * file, which no longer belongs to the drive.
         */
        void renew() {
            long bytes = mapping.segment().byteSize();
            int fresh = create(bytes);
            long result = MemoryFile.mapOver(mapping.address(), bytes, fresh);
            KernelCalls.instance().close(result < 0 ? fresh : fd);
            KernelException.check(
                    result, "no-shared-memory", "mmap", object, "See how much memory is free");
            fd = fresh;
        }

        private void close() {
            mapping.close();
            KernelCalls.instance().close(fd);
        }
    }

    private final String drive;
    private final List<File> files = new ArrayList<>();

    SharedBars(String drive) {
        this.drive = drive;
    }

    /** Creates a file and maps it. */
    File make(long bytes) {
        File file = new File(drive, bytes);
        files.add(file);
        return file;
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        return make(Bits.roundUp(byteSize, Bits.PAGE_BYTES)).memory();
    }

    /** Returns the files. The one that the fabric allocated, if any, is the first. */
    List<File> files() {
        return files;
    }

    /** Replaces all files by zeroed ones, so that earlier clients share nothing with the drive. */
    void renew() {
        files.forEach(File::renew);
    }

    @Override
    public void close() {
        files.forEach(File::close);
        files.clear();
    }
}
