package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.Bits;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.Request;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether another host may use a drive: dual-port shelves have two controllers for each namespace.
 * Asked through the kernel's driver, with the drive's own Identify data and Reservation Report.
 */
final class Sharing {
    /** struct nvme_passthru_cmd of linux/nvme_ioctl.h, 72 bytes. */
    private static final int BYTES = 72;

    private static final int NSID = 4;
    private static final int ADDRESS = 24;
    private static final int LENGTH = 36;
    private static final int CDW10 = 40;
    private static final int CDW11 = 44;

    /** _IOWR('N', 0x41 and 0x43, struct nvme_passthru_cmd). */
    private static final Request ADMIN = new Request("NVME_IOCTL_ADMIN_CMD", 0xc0484e41);

    private static final Request IO = new Request("NVME_IOCTL_IO_CMD", 0xc0484e43);

    private static final int IDENTIFY = 0x06;
    private static final int RESERVATION_REPORT = 0x0e;
    private static final int CNS_NAMESPACE = 0;
    private static final int CNS_CONTROLLER = 1;
    private static final int PAGE = 4096;

    // NVMe Base 2.0, 5.17.2.1 and 4.1.5.1, and 7.8
    private static final int CMIC = 76;
    private static final int NMIC = 30;
    private static final int RESCAP = 31;
    private static final int RTYPE = 4;

    private static final Pattern NAMESPACE = Pattern.compile("nvme\\d+n(\\d+)");

    private Sharing() {}

    /**
     * Returns why others may use a drive, one sentence each; empty if nobody may, or if the drive
     * can't be asked.
     *
     * @param controller the name of its controller, such as nvme0
     * @param namespaces the names of its block devices
     */
    static List<String> reasons(Kernel kernel, String controller, List<String> namespaces) {
        List<String> reasons = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(PAGE, PAGE);
            String node = "/dev/" + controller;
            if (ask(kernel, node, ADMIN, IDENTIFY, 0, CNS_CONTROLLER, 0, page, arena)
                    && Bits.bit(page.get(JAVA_BYTE, CMIC), 1)) {
                reasons.add(controller + " is one of several controllers of its subsystem (CMIC)");
            }
            for (String name : namespaces) {
                Matcher number = NAMESPACE.matcher(name);
                int nsid = number.matches() ? Integer.parseInt(number.group(1)) : 0;
                if (nsid == 0
                        || !ask(
                                kernel,
                                node,
                                ADMIN,
                                IDENTIFY,
                                nsid,
                                CNS_NAMESPACE,
                                0,
                                page,
                                arena)) {
                    continue;
                }
                if (Bits.bit(page.get(JAVA_BYTE, NMIC), 0)) {
                    reasons.add(name + " may be attached to several controllers (NMIC)");
                }
                boolean reserves = page.get(JAVA_BYTE, RESCAP) != 0;
                String block = "/dev/" + name;
                int dwords = PAGE / 4 - 1;
                if (reserves
                        && ask(kernel, block, IO, RESERVATION_REPORT, nsid, dwords, 0, page, arena)
                        && page.get(JAVA_BYTE, RTYPE) != 0) {
                    reasons.add(name + " is reserved by a host");
                }
            }
        }
        return reasons;
    }

    private static boolean ask(
            Kernel kernel,
            String node,
            Request request,
            int opcode,
            int nsid,
            int cdw10,
            int cdw11,
            MemorySegment page,
            Arena arena) {
        long fd = kernel.open(node, Kernel.O_RDONLY | Kernel.O_CLOEXEC);
        if (fd < 0) {
            return false;
        }
        page.fill((byte) 0);
        MemorySegment command = arena.allocate(BYTES, 8);
        command.set(JAVA_BYTE, 0, (byte) opcode);
        command.set(JAVA_INT, NSID, nsid);
        command.set(JAVA_LONG, ADDRESS, page.address());
        command.set(JAVA_INT, LENGTH, PAGE);
        command.set(JAVA_INT, CDW10, cdw10);
        command.set(JAVA_INT, CDW11, cdw11);
        long status = kernel.ioctl((int) fd, request, command);
        VfioSystem.close(kernel, (int) fd, node);
        return status == 0;
    }
}
