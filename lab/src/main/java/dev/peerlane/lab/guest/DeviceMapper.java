package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.Request;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Creates a device mapper device with one linear target, because the guest has no dmsetup. Layout
 * and numbers are those of {@code linux/dm-ioctl.h}.
 */
final class DeviceMapper {
    private static final String NODE = "/dev/mapper/control";
    private static final int HEADER = 312;
    private static final int BYTES = 1024;

    private static final int DATA_SIZE = 12;
    private static final int DATA_START = 16;
    private static final int TARGET_COUNT = 20;
    private static final int NAME = 48;

    private static final int TARGET_LENGTH = 8;
    private static final int TARGET_TYPE = 24;
    private static final int TARGET_PARAMETERS = 40;

    // _IOWR(0xfd, 3, 9 and 6, struct dm_ioctl); suspend without the flag means resume
    private static final Request CREATE = new Request("DM_DEV_CREATE", 0xc138fd03);
    private static final Request LOAD = new Request("DM_TABLE_LOAD", 0xc138fd09);
    private static final Request RESUME = new Request("DM_DEV_SUSPEND", 0xc138fd06);

    private DeviceMapper() {}

    /** Creates {@code name} from the first sectors of a block device. */
    static void linear(String name, String device, long sectors) {
        Kernel kernel = KernelCalls.instance();
        int fd = (int) kernel.open(NODE, Kernel.O_RDWR | Kernel.O_CLOEXEC);
        check(fd >= 0, "%s can't be opened: %d".formatted(NODE, fd));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(BYTES, 8);
            ask(kernel, fd, CREATE, request, name, 0);
            request.asSlice(HEADER).fill((byte) 0);
            request.set(JAVA_LONG, HEADER + TARGET_LENGTH, sectors);
            request.setString(HEADER + TARGET_TYPE, "linear");
            request.setString(HEADER + TARGET_PARAMETERS, device + " 0");
            ask(kernel, fd, LOAD, request, name, 1);
            ask(kernel, fd, RESUME, request, name, 0);
        } finally {
            kernel.close(fd);
        }
    }

    private static void ask(
            Kernel kernel, int fd, Request what, MemorySegment request, String name, int targets) {
        request.asSlice(0, HEADER).fill((byte) 0);
        request.set(JAVA_INT, 0, 4); // the version of the interface
        request.set(JAVA_INT, DATA_SIZE, BYTES);
        request.set(JAVA_INT, DATA_START, HEADER);
        request.set(JAVA_INT, TARGET_COUNT, targets);
        request.setString(NAME, name);
        long answer = kernel.ioctl(fd, what, request);
        check(answer >= 0, "%s: %d".formatted(what.name(), answer));
    }
}
