package dev.peerlane.vfio;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.SysfsFunction;
import dev.peerlane.pci.SysfsTree;
import dev.peerlane.vfio.Binder.Allow;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What keeps a function where it is. Every refusal names who is in the way and what to do. */
final class BindChecks {
    private final Kernel kernel;
    private final VfioOptions options;

    BindChecks(Kernel kernel, VfioOptions options) {
        this.kernel = kernel;
        this.options = options;
    }

    static void kind(SysfsFunction function, Collection<Allow> allowed) {
        if (function.isBridge()) {
            throw PeerlaneException.refused(
                    "is-a-bridge",
                    "%s is a bridge, and everything below it would be lost"
                            .formatted(function.bdf()),
                    "Leave bridges with the driver they have: vfio does not mind them");
        }
        if (!function.function().isNvme() && !allowed.contains(Allow.NOT_NVME)) {
            throw PeerlaneException.refused(
                    "not-nvme",
                    "%s is no NVMe controller: its class is %06Xh"
                            .formatted(function.bdf(), function.function().classCode()),
                    "Name an NVMe function, or say that this is meant");
        }
    }

    /** VFIO opens a group only if no other function of it is with a driver of Linux. */
    static void group(SysfsTree tree, SysfsFunction function, List<Bdf> named) {
        if (function.iommuGroup() < 0) {
            return;
        }
        List<SysfsFunction> others =
                VfioSystem.inTheWay(tree, function.iommuGroup()).stream()
                        .filter(f -> !f.isBridge() && !named.contains(f.bdf()))
                        .toList();
        if (others.isEmpty()) {
            return;
        }
        TreeSet<Bdf> together = new TreeSet<>(named);
        others.forEach(f -> together.add(f.bdf()));
        boolean otherKinds = others.stream().anyMatch(f -> !f.function().isNvme());
        throw PeerlaneException.refused(
                "group-not-viable",
                "%s can't be used alone: IOMMU group %d, which it is in, holds %s too"
                        .formatted(function.bdf(), function.iommuGroup(), VfioSystem.words(others)),
                "Bind them together (peerlane bind %s%s) if you can do without them, or put the"
                                .formatted(
                                        together.stream()
                                                .map(Bdf::toString)
                                                .collect(Collectors.joining(" ")),
                                        otherKinds ? " --force-class" : "")
                        + " drive into a slot with a group of its own");
    }

    /**
     * Takes a function's block devices so that nobody else can, and looks then who uses them.
     *
     * @return the claim, for the caller to close
     * @throws PeerlaneException of category REFUSED if the function must stay where it is
     */
    BlockClaim unused(SysfsFunction function, Collection<Allow> allowed) {
        BlockUse use = new BlockUse(options);
        List<BlockUse.Volume> volumes = use.volumes(function);
        BlockClaim claim =
                BlockClaim.take(kernel, volumes.stream().map(BlockUse.Volume::name).toList());
        try {
            List<String> reasons = new ArrayList<>(use.reasons(function));
            if (reasons.isEmpty()) {
                claim.held().forEach(name -> reasons.add(held(name)));
            }
            if (!reasons.isEmpty()) {
                throw PeerlaneException.refused(
                        "device-in-use",
                        "%s is in use: %s".formatted(function.bdf(), String.join("; ", reasons)),
                        "Unmount it, swapoff, end the program, or take it out of the stack first");
            }
            if (!allowed.contains(Allow.SHARED)) {
                alone(function, volumes);
            }
            return claim;
        } catch (RuntimeException e) {
            new Cleanup().step(claim::release).finish(e);
            throw e;
        }
    }

    /** Nothing in sysfs tells who holds a device exclusively, only that ZFS is there. */
    private String held(String name) {
        boolean zfs = Files.isDirectory(options.sys().resolve("module/zfs"));
        return name
                + " is held exclusively by "
                + (zfs ? "a ZFS pool (zpool status) or " : "")
                + "somebody who does not show: a mount elsewhere, a program, the kernel";
    }

    private void alone(SysfsFunction function, List<BlockUse.Volume> volumes) {
        Path controller = Inventory.controller(options.sys(), function);
        if (controller == null) {
            return;
        }
        String name = String.valueOf(controller.getFileName());
        List<String> others = Sharing.reasons(kernel, name, volumes);
        if (!others.isEmpty()) {
            throw PeerlaneException.refused(
                    "device-shared",
                    "others may use %s: %s".formatted(function.bdf(), String.join("; ", others)),
                    "See that no other host or controller uses it, then say that it is shared"
                            + " (--shared-ok)");
        }
    }

    /** Taking a device from under a program would hang until the program lets go of it. */
    void noProgram(SysfsFunction function) {
        if (function.iommuGroup() < 0 || function.driver() == null) {
            return;
        }
        String node = "/dev/vfio/" + function.iommuGroup();
        long fd = kernel.open(node, Kernel.O_RDWR | Kernel.O_CLOEXEC);
        if (fd == -Errno.EBUSY) {
            throw PeerlaneException.refused(
                    "device-in-use",
                    "a program uses IOMMU group %d, which %s is in"
                            .formatted(function.iommuGroup(), function.bdf()),
                    "End that program first");
        }
        if (fd >= 0) {
            VfioSystem.close(kernel, (int) fd, node);
        }
    }
}
