package dev.peerlane.binding;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.Bits;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.Request;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds out whether another host may use a drive, as in dual-port enclosures with two controllers
 * for each namespace. It reads the drive's Identify data and Reservation Report through the
 * kernel's driver. A command that fails counts as shared.
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
    private static final int EXTENDED_DATA_STRUCTURE = 1;
    private static final int PAGE = Bits.PAGE_BYTES;

    // NVMe Base 2.0, 5.17.2.1; NVM Command Set 1.0, 4.1.5.1; Base 2.0, 7.8
    private static final int CMIC = 76;
    private static final int CMIC_PORTS = 0;
    private static final int CMIC_CONTROLLERS = 1;
    private static final int NMIC = 30;
    private static final int RESCAP = 31;
    private static final int RTYPE = 4;
    private static final int REGCTL = 5;

    private final Kernel kernel;
    private final Arena arena;
    private final MemorySegment page;
    private final List<String> reasons = new ArrayList<>();

    private Sharing(Kernel kernel, Arena arena) {
        this.kernel = kernel;
        this.arena = arena;
        page = arena.allocate(PAGE, PAGE);
    }

    /**
     * Returns why other hosts may use a drive, one sentence each; empty if the drive reports that
     * it is not shared.
     *
     * @param controller name of the drive's controller, such as nvme0
     * @param volumes its block devices
     */
    static List<String> reasons(Kernel kernel, String controller, List<BlockUse.Volume> volumes) {
        try (Arena arena = Arena.ofConfined()) {
            Sharing sharing = new Sharing(kernel, arena);
            sharing.controller(controller);
            volumes.forEach(volume -> sharing.namespace(controller, volume));
            return sharing.reasons;
        }
    }

    private void controller(String controller) {
        long status = ask("/dev/" + controller, ADMIN, IDENTIFY, 0, CNS_CONTROLLER, 0);
        if (status != 0) {
            unanswered(controller, "Identify Controller", status);
            return;
        }
        byte cmic = page.get(JAVA_BYTE, CMIC);
        if (Bits.bit(cmic, CMIC_PORTS)) {
            reasons.add(controller + " is in a subsystem with several ports (CMIC)");
        }
        if (Bits.bit(cmic, CMIC_CONTROLLERS)) {
            reasons.add(controller + " is one of several controllers of its subsystem (CMIC)");
        }
    }

    private void namespace(String controller, BlockUse.Volume volume) {
        String name = volume.name();
        if (volume.nsid() == 0) {
            reasons.add("Linux does not show the namespace identifier of " + name);
            return;
        }
        String node = "/dev/" + controller;
        long status = ask(node, ADMIN, IDENTIFY, volume.nsid(), CNS_NAMESPACE, 0);
        if (status != 0) {
            unanswered(name, "Identify Namespace", status);
            return;
        }
        if (Bits.bit(page.get(JAVA_BYTE, NMIC), 0)) {
            reasons.add(name + " may be attached to several controllers (NMIC)");
        }
        if (page.get(JAVA_BYTE, RESCAP) != 0) {
            reservation(volume);
        }
    }

    /**
     * Reads the Reservation Report. A host with an identifier of 128 bits gets the extended data
     * structure only, other hosts the short one only. The type and the number of registrants have
     * the same offsets in both.
     */
    private void reservation(BlockUse.Volume volume) {
        String name = volume.name();
        String node = "/dev/" + name;
        int dwords = PAGE / 4 - 1;
        long status = ask(node, IO, RESERVATION_REPORT, volume.nsid(), dwords, 0);
        if (status != 0) {
            int extended = EXTENDED_DATA_STRUCTURE;
            status = ask(node, IO, RESERVATION_REPORT, volume.nsid(), dwords, extended);
        }
        if (status != 0) {
            unanswered(name, "Reservation Report", status);
            return;
        }
        int type = Byte.toUnsignedInt(page.get(JAVA_BYTE, RTYPE));
        int registrants = Short.toUnsignedInt(page.get(JAVA_SHORT_UNALIGNED, REGCTL));
        if (type != 0) {
            reasons.add("%s is reserved by a host (type %d)".formatted(name, type));
        }
        if (registrants != 0) {
            reasons.add("%s has %d controllers registered".formatted(name, registrants));
        }
    }

    private void unanswered(String name, String question, long status) {
        String why = status < 0 ? Errno.text((int) -status) : "status %Xh".formatted(status);
        reasons.add("%s does not answer %s (%s)".formatted(name, question, why));
    }

    /** Sends a command. Returns 0, the status of the NVMe command, or a negated error number. */
    private long ask(String node, Request request, int opcode, int nsid, int cdw10, int cdw11) {
        long fd = kernel.open(node, Kernel.O_RDONLY | Kernel.O_CLOEXEC);
        if (fd < 0) {
            return fd;
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
        KernelException.close(kernel, (int) fd, node);
        return status;
    }
}
