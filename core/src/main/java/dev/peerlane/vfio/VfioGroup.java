package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.VfioAbi.GroupStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An open IOMMU group: the smallest set of functions that the IOMMU can isolate. */
final class VfioGroup {
    private final Kernel kernel;
    private final int number;
    private final int fd;

    private VfioGroup(Kernel kernel, int number, int fd) {
        this.kernel = kernel;
        this.number = number;
        this.fd = fd;
    }

    static VfioGroup open(Kernel kernel, int number, String node, VfioSystem system) {
        String path = "/dev/vfio/" + node;
        long fd = kernel.open(path, Kernel.O_RDWR | Kernel.O_CLOEXEC);
        try {
            KernelException.check(fd, "group-not-opened", "open", path, remedy(fd, number, system));
        } catch (KernelException e) {
            throw isRefused(fd) ? e : e.with("functions", system.describeGroup(number));
        }
        VfioGroup group = new VfioGroup(kernel, number, (int) fd);
        try {
            group.checkViable(system);
            return group;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(group::close).finish(e);
            throw e;
        }
    }

    private static boolean isRefused(long result) {
        return result == -Errno.EBUSY || result == -Errno.EACCES || result == -Errno.EPERM;
    }

    private static String remedy(long result, int number, VfioSystem system) {
        return switch ((int) -result) {
            case Errno.EBUSY -> "Another process uses IOMMU group " + number + ": end it first";
            case Errno.EACCES, Errno.EPERM ->
                    "Run as root, or give this user access to /dev/vfio/" + number;
            default -> "Bind its drives to vfio-pci; it holds " + system.describeGroup(number);
        };
    }

    private void checkViable(VfioSystem system) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(GroupStatus.BYTES, 4);
            status.set(JAVA_INT, VfioAbi.ARGSZ, GroupStatus.BYTES);
            check(
                    kernel.ioctl(fd, VfioAbi.GROUP_GET_STATUS, status),
                    VfioAbi.GROUP_GET_STATUS.name());
            int flags = status.get(JAVA_INT, VfioAbi.FLAGS);
            if ((flags & GroupStatus.VIABLE) == 0) {
                throw PeerlaneException.machine(
                                "group-not-viable",
                                "IOMMU group %d can't be used while others in it have drivers: %s"
                                        .formatted(number, system.othersInTheWay(number)),
                                "Bind the drives among them to vfio-pci too, or move the drive"
                                        + " to a slot with a group of its own")
                        .with("group", String.valueOf(number));
            }
            if ((flags & GroupStatus.CONTAINER_SET) != 0) {
                throw PeerlaneException.machine(
                        "group-in-use",
                        "IOMMU group %d is in another container".formatted(number),
                        "End the process that uses it");
            }
        }
    }

    void attach(int container) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocateFrom(JAVA_INT, container);
            check(
                    kernel.ioctl(fd, VfioAbi.GROUP_SET_CONTAINER, argument),
                    VfioAbi.GROUP_SET_CONTAINER.name());
        }
    }

    /** Opens a device of the group. Returns its descriptor. */
    int device(Bdf bdf) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(bdf.toString());
            long result = kernel.ioctl(fd, VfioAbi.GROUP_GET_DEVICE_FD, name);
            return (int)
                    KernelException.check(
                            result,
                            "device-not-opened",
                            VfioAbi.GROUP_GET_DEVICE_FD.name(),
                            bdf.toString(),
                            "Bind it to vfio-pci, and see that no other process uses it");
        }
    }

    void close() {
        KernelException.close(kernel, fd, "/dev/vfio/" + number);
    }

    private void check(long result, String call) {
        KernelException.check(
                result,
                "group-not-usable",
                call,
                "IOMMU group " + number,
                "Look at the kernel's log for the group");
    }
}
