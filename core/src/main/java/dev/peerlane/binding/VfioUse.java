package dev.peerlane.binding;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.VfioSysfs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the programs, such as virtual machines, that use functions through VFIO or UIO. It reads
 * the processes' descriptors and opens the node of the IOMMU group, which only one program can have
 * open. A kernel with VFIO's device nodes only has no group node, so the descriptors are the only
 * source there. A function that can't be examined doesn't count as free.
 */
public final class VfioUse {
    private final @Nullable Kernel kernel;
    private final SystemRoot system;
    private @Nullable Programs programs;

    /**
     * What is known of one function's users.
     *
     * @param users the programs that use it, one sentence each
     * @param unknown why it may be in use although no user was found, one sentence each
     */
    public record Answer(List<String> users, List<String> unknown) {
        /** Answer for a function that is missing or not bound to a driver for programs. */
        public static final Answer GONE = new Answer(List.of(), List.of());

        /** Copies the lists. */
        public Answer {
            users = List.copyOf(users);
            unknown = List.copyOf(unknown);
        }

        /** Returns whether the function is certainly unused. */
        public boolean isFree() {
            return users.isEmpty() && unknown.isEmpty();
        }
    }

    /**
     * Creates a view of a machine. Processes are read at the first question.
     *
     * @param kernel opens the nodes in {@code /dev}; null if they are another machine's
     * @param system the machine's sysfs and procfs
     */
    public VfioUse(@Nullable Kernel kernel, SystemRoot system) {
        this.kernel = kernel;
        this.system = system;
    }

    /** Returns the users of a function. A function that is not bound to VFIO or UIO has none. */
    public Answer of(SysfsFunction function) {
        String driver = function.driver();
        boolean uio = driver != null && driver.contains("uio");
        if (driver == null || !(uio || driver.contains("vfio"))) {
            return Answer.GONE;
        }
        Programs seen = programs == null ? new Programs(system.proc()) : programs;
        programs = seen;
        return uio ? ofUio(seen, function) : ofVfio(seen, function);
    }

    /**
     * Answers for UIO, which lets any number of programs open a device, so that only descriptors
     * show the users.
     */
    private Answer ofUio(Programs seen, SysfsFunction function) {
        return new Answer(users(seen, system, function), seen.overlooked());
    }

    private Answer ofVfio(Programs seen, SysfsFunction function) {
        List<String> users = users(seen, system, function);
        List<String> unknown = new ArrayList<>();
        String group = "/dev/vfio/" + function.iommuGroup();
        long opened = function.iommuGroup() < 0 ? -Errno.ENOENT : open(group);
        boolean nobodyShows = users.isEmpty();
        if (opened == -Errno.EBUSY && nobodyShows) {
            users.add(group + " is in use by an unknown program");
        } else if (opened < 0 && opened != -Errno.EBUSY && opened != -Errno.ENOENT) {
            unknown.add("%s can't be opened (%s)".formatted(group, Errno.text((int) -opened)));
        } else if (opened == -Errno.ENOENT) {
            seen.overlooked().forEach(why -> unknown.add("there is no " + group + ", and " + why));
        }
        if (nobodyShows) {
            seen.withUnnamedDevices()
                    .forEach(
                            by -> unknown.add(by + " uses a VFIO device, and it is unknown which"));
        }
        return new Answer(users, unknown);
    }

    private long open(String node) {
        if (kernel == null) {
            return -Errno.ENOENT;
        }
        long fd = kernel.open(node, Kernel.O_RDWR | Kernel.O_CLOEXEC);
        if (fd >= 0) {
            KernelException.close(kernel, (int) fd, node);
        }
        return fd;
    }

    /**
     * Returns the programs that have one of a function's nodes open, as far as their descriptors
     * are readable.
     */
    static List<String> users(Programs programs, SystemRoot system, SysfsFunction function) {
        List<String> nodes = new ArrayList<>();
        if (function.iommuGroup() >= 0) {
            nodes.add("/dev/vfio/" + function.iommuGroup());
            nodes.add("/dev/vfio/noiommu-" + function.iommuGroup());
        }
        String device = VfioSysfs.deviceNode(system.sys(), function.bdf());
        if (device != null) {
            nodes.add("/dev/vfio/devices/" + device);
        }
        for (Path uio :
                KernelFiles.entries(FunctionFolder.of(system.sys(), function).resolve("uio"))) {
            nodes.add("/dev/" + uio.getFileName());
        }
        List<String> users = new ArrayList<>();
        for (String node : nodes) {
            programs.ofNode(node).forEach(by -> users.add(by + " has " + node + " open"));
        }
        return users;
    }
}
