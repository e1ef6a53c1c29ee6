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
 * Who uses functions through VFIO: a virtual machine, another program. Asked of the processes'
 * descriptors, and of the node of the IOMMU group, which only one program can have. A kernel with
 * VFIO's devices alone has no such node: then the descriptors are all there is. What can't be
 * looked at is not taken as free.
 */
public final class VfioUse {
    private final @Nullable Kernel kernel;
    private final SystemRoot system;
    private @Nullable Programs programs;

    /**
     * What is known of one function.
     *
     * @param users who uses it, one sentence each
     * @param unknown why it may be in use though nobody shows, one sentence each
     */
    public record Answer(List<String> users, List<String> unknown) {
        /** Of a function that is not there. */
        public static final Answer GONE = new Answer(List.of(), List.of());

        /** Keeps its own copies of the lists. */
        public Answer {
            users = List.copyOf(users);
            unknown = List.copyOf(unknown);
        }

        /** Returns whether it is known that nobody uses it. */
        public boolean isFree() {
            return users.isEmpty() && unknown.isEmpty();
        }
    }

    /**
     * Looks at the machine as it is now.
     *
     * @param kernel opens its nodes; null where those of {@code /dev} are another machine's
     * @param system where its sysfs and procfs are
     */
    public VfioUse(@Nullable Kernel kernel, SystemRoot system) {
        this.kernel = kernel;
        this.system = system;
    }

    /** Returns who uses a function; nobody does that is not with a driver for programs. */
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

    /** UIO lets any number of programs open a device, so the descriptors are all there is. */
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
            users.add(group + " is in use by somebody who does not show");
        } else if (opened < 0 && opened != -Errno.EBUSY && opened != -Errno.ENOENT) {
            unknown.add("%s can't be opened (%s)".formatted(group, Errno.text((int) -opened)));
        } else if (opened == -Errno.ENOENT) {
            seen.overlooked().forEach(why -> unknown.add("there is no " + group + ", and " + why));
        }
        if (nobodyShows) {
            seen.withUnnamedDevices()
                    .forEach(by -> unknown.add(by + " uses a VFIO device and does not show which"));
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

    /** Returns who has one of the nodes of a function open, as far as descriptors show. */
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
