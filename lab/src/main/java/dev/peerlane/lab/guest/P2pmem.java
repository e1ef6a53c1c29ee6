package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes Linux move data between drives through a CMB with its own peer-to-peer DMA (p2pdma), for
 * each pair and direction. The test on the host checks the data in the images.
 */
public final class P2pmem {
    /** The number of bytes of a transfer. */
    public static final int BYTES = 64 << 10;

    /** The offset of each drive's own data on its medium. */
    public static final long DATA = 0;

    /** The offset on each medium of what a slot holds before the transfer. */
    public static final long OTHER = 1 << 20;

    /** The result if the kernel does not let a drive use that memory. */
    public static final String REFUSED = "refused";

    private static final long RESULTS = 2 << 20;
    private static final int O_DIRECT = 0x4000;
    private static final Kernel KERNEL = KernelCalls.instance();

    private P2pmem() {}

    /**
     * Returns the offset of the result of a transfer: on the owner's medium for peer writes, on the
     * client's for peer reads.
     *
     * @param client the index of the drive that uses the other's memory, ordered by serial number
     * @param owner the index of the drive that owns the memory
     */
    public static long resultAt(int client, int owner, boolean write) {
        return RESULTS + ((write ? 0 : 64) + client * 8L + owner) * BYTES;
    }

    /** Returns "CLIENT>OWNER:write=ok,read=refused(22)" for each pair. */
    static String ofAllPairs() throws IOException {
        List<String> serials = Ssds.all();
        StringBuilder told = new StringBuilder();
        for (int owner = 0; owner < serials.size(); owner++) {
            for (int client = 0; client < serials.size(); client++) {
                if (client != owner) {
                    told.append(pair(serials.get(client), client, serials.get(owner), owner) + " ");
                }
            }
        }
        return told.toString();
    }

    private static String pair(String client, int clientNumber, String owner, int ownerNumber)
            throws IOException {
        int allocate = open(Ssds.sysfs(owner) + "/p2pmem/allocate", 0);
        int ours = open(block(client), O_DIRECT);
        int owners = open(block(owner), O_DIRECT);
        int access = Kernel.PROT_READ | Kernel.PROT_WRITE;
        long address = KERNEL.mmap(BYTES, access, Kernel.MAP_SHARED, allocate, 0);
        check(address > 0, "p2pmem of %s can't be mapped: %d".formatted(owner, address));
        // SAFETY: only the kernel accesses it, in calls that end before it is unmapped.
        MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(BYTES);
        try {
            moved(KERNEL.pread(owners, memory, OTHER), owner + " reads into its own memory");
            long write = KERNEL.pread(ours, memory, DATA);
            if (write >= 0) {
                moved(write, "peer write");
                long at = resultAt(clientNumber, ownerNumber, true);
                moved(KERNEL.pwrite(owners, memory, at), owner + " writes its own memory");
            }
            moved(KERNEL.pread(owners, memory, DATA), owner + " reads into its own memory");
            long read = KERNEL.pwrite(ours, memory, resultAt(clientNumber, ownerNumber, false));
            if (read >= 0) {
                moved(read, "peer read");
            }
            return "%s>%s:write=%s,read=%s".formatted(client, owner, told(write), told(read));
        } finally {
            KERNEL.munmap(address, BYTES);
            KERNEL.close(allocate);
            KERNEL.close(ours);
            KERNEL.close(owners);
        }
    }

    private static String told(long answer) {
        return answer >= 0 ? "ok" : REFUSED + "(" + -answer + ")";
    }

    private static void moved(long answer, String what) {
        same((long) BYTES, answer, "the answer to: " + what);
    }

    private static int open(String path, int flags) {
        long fd = KERNEL.open(path, Kernel.O_RDWR | Kernel.O_CLOEXEC | flags);
        check(fd >= 0, "%s can't be opened: %d".formatted(path, fd));
        return (int) fd;
    }

    private static String block(String serial) throws IOException {
        return "/dev/" + Files.readString(Path.of("/tmp/block-" + serial)).strip();
    }
}
