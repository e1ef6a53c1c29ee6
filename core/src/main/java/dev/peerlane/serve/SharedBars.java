package dev.peerlane.serve;

import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.vfiouser.Mapping;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of one drive that clients map: files, each with the doorbells, the CMB or both. An
 * allocator for the emulated fabric, which asks for one BAR's memory at most.
 */
final class SharedBars implements SegmentAllocator, AutoCloseable {
    /** Where the doorbells are in BAR 0. */
    static final long DOORBELLS = 0x1000;

    /** A file and where it is mapped. */
    record File(int fd, Mapping mapping) {
        void close() {
            mapping.close();
            KernelCalls.instance().close(fd);
        }
    }

    private final String drive;
    private final List<File> files = new ArrayList<>();

    SharedBars(String drive) {
        this.drive = drive;
    }

    /** Makes a file and maps it. */
    File make(long bytes) {
        String object = "shared memory of drive " + drive;
        int fd =
                (int)
                        KernelException.check(
                                MemoryFile.create("peerlane-" + drive, bytes),
                                "no-shared-memory",
                                "memfd_create",
                                object,
                                "See how much memory is free and how many files are open");
        try {
            File file = new File(fd, Mapping.of(fd, 0, bytes, object));
            files.add(file);
            return file;
        } catch (RuntimeException e) {
            KernelCalls.instance().close(fd);
            throw e;
        }
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        return make((byteSize + 4095) & -4096).mapping().segment();
    }

    /** Returns the file that was made for the fabric, if it asked for one. */
    List<File> files() {
        return files;
    }

    @Override
    public void close() {
        files.forEach(File::close);
        files.clear();
    }
}
