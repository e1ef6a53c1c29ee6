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
 * Has Linux move data between drives through one's CMB by its own peer-to-peer DMA (p2pdma), for
 * each pair and direction. What became of the data is for who sees the images to say.
 */
public final class P2pmem {
    /** How much one transfer moves. */
    public static final int BYTES = 64 << 10;

    /** Where on each medium its own data is. */
    public static final long DATA = 0;

    /** Where on each medium is what a slot holds before the transfer. */
    public static final long OTHER = 1 << 20;

    /** Of a drive that the kernel does not let use that memory. */
    public static final String REFUSED = "refused";

    private static final long RESULTS = 2 << 20;
    private static final int O_DIRECT = 0x4000;
    private static final Kernel KERNEL = KernelCalls.instance();

    private P2pmem() {}

    /**
     * Returns where the result of a transfer is put: on the owner's medium after peer writes, on
     * the client's after peer reads.
     *
     * @param client number of the drive that used the other's memory, in order of serial numbers
     * @param owner number of the drive whose memory it was
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
        // SAFETY: only the kernel touches it, in calls that end before it is unmapped.
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
