package dev.peerlane.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.binding.BindPlan.Allow;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.VfioSysfs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Checks whether a function may be taken from its driver. Each refusal names the obstacle and the
 * remedy.
 */
final class BindChecks {
    private static final String NVME = "nvme";
    private static final int BASE_CLASS_BRIDGE = 0x06;

    /**
     * Class code of a bridge to something other than this machine's PCI, such as a non-transparent
     * bridge.
     */
    private static final int OTHER_BRIDGE = 0x0680;

    private final Kernel kernel;
    private final SystemRoot system;

    BindChecks(Kernel kernel, SystemRoot system) {
        this.kernel = kernel;
        this.system = system;
    }

    /**
     * Checks the kind of a function: refuses bridges, functions with others below them, and, unless
     * allowed, functions that are not NVMe.
     */
    void kind(SysfsTree tree, SysfsFunction function, Collection<Allow> allowed) {
        int classCode = function.function().classCode();
        boolean bridge = classCode >>> 16 == BASE_CLASS_BRIDGE && classCode >>> 8 != OTHER_BRIDGE;
        if (function.isBridge() || bridge) {
            throw PeerlaneException.refused(
                    "is-a-bridge",
                    "%s is a bridge, and everything below it would be lost"
                            .formatted(function.bdf()),
                    "Leave bridges bound to their driver: VFIO allows them in a group");
        }
        List<SysfsFunction> below = tree.below(function.bdf());
        if (!below.isEmpty()) {
            List<String> uses = new BlockUse(system).reasons(function);
            throw PeerlaneException.refused(
                    "functions-below",
                    "%s has %d PCI functions below it, which would be lost with it: %s%s"
                            .formatted(
                                    function.bdf(),
                                    below.size(),
                                    VfioSysfs.words(below),
                                    uses.isEmpty() ? "" : "; " + String.join("; ", uses)),
                    "Leave it bound to its driver (%s). If it is Intel's VMD, firmware can turn VMD"
                                    .formatted(
                                            function.driver() == null ? "none" : function.driver())
                            + " off for the slots of the drives in question");
        }
        if (!function.function().isNvme() && !allowed.contains(Allow.NOT_NVME)) {
            throw PeerlaneException.refused(
                            "not-nvme",
                            "%s is not an NVMe controller: its class is %06Xh"
                                    .formatted(function.bdf(), function.function().classCode()),
                            "Name an NVMe function, or allow functions that are not NVMe")
                    .with("function", function.bdf().toString());
        }
    }

    /**
     * Checks that no other function of the IOMMU group is bound to a driver of Linux, since VFIO
     * would refuse to open the group.
     */
    static void group(SysfsTree tree, SysfsFunction function, List<Bdf> named) {
        if (function.iommuGroup() < 0) {
            return;
        }
        List<SysfsFunction> others =
                VfioSysfs.inTheWay(tree, function.iommuGroup()).stream()
                        .filter(f -> !f.isBridge() && !named.contains(f.bdf()))
                        .toList();
        if (others.isEmpty()) {
            return;
        }
        TreeSet<Bdf> together = new TreeSet<>(named);
        others.forEach(f -> together.add(f.bdf()));
        boolean drives = others.stream().allMatch(f -> f.function().isNvme());
        String functions = together.stream().map(Bdf::toString).collect(Collectors.joining(" "));
        PeerlaneException refusal =
                PeerlaneException.refused(
                        "group-not-viable",
                        "%s can't be used alone: its IOMMU group %d also has %s"
                                .formatted(
                                        function.bdf(),
                                        function.iommuGroup(),
                                        VfioSysfs.words(others)),
                        (drives
                                        ? "Bind %s together if you can do without them, or put"
                                                .formatted(functions)
                                        : "Put")
                                + " the drive into a slot with a group of its own");
        throw drives
                ? refusal.with("functions", functions)
                : refusal.with("function", function.bdf().toString());
    }

    /**
     * Claims a function's block devices exclusively, then checks that nothing uses them.
     *
     * @return the claim, for the caller to close
     * @throws PeerlaneException of category REFUSED if the function is in use
     */
    BlockClaim unused(SysfsFunction function, Collection<Allow> allowed) {
        noProgram(function);
        BlockUse use = new BlockUse(system);
        List<BlockUse.Volume> volumes = use.volumes(function);
        BlockClaim claim =
                BlockClaim.take(kernel, volumes.stream().map(BlockUse.Volume::name).toList());
        try {
            List<String> reasons = new ArrayList<>(use.reasons(function));
            reasons.addAll(FunctionUse.reasons(system.sys(), function));
            if (reasons.isEmpty()) {
                claim.held().forEach(name -> reasons.add(held(name)));
            }
            if (!reasons.isEmpty()) {
                throw PeerlaneException.refused(
                        "device-in-use",
                        "%s is in use: %s".formatted(function.bdf(), String.join("; ", reasons)),
                        "Unmount it, swapoff, end the program, remove it from its stack"
                                + " or bring its interface down");
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

    /**
     * Returns a reason for a device that is held exclusively. sysfs does not name the holder, only
     * whether ZFS is loaded.
     */
    private String held(String name) {
        boolean zfs = Files.isDirectory(system.sys().resolve("module/zfs"));
        return name
                + " is held exclusively by "
                + (zfs ? "a ZFS pool (zpool status) or " : "")
                + "an unknown user: a mount elsewhere, a program, or the kernel";
    }

    private void alone(SysfsFunction function, List<BlockUse.Volume> volumes) {
        Path controller = FunctionFolder.controller(system.sys(), function);
        if (controller == null) {
            if (NVME.equals(function.driver())) {
                throw shared(
                        function, List.of("Linux shows no controller of it that could answer"));
            }
            return;
        }
        String name = String.valueOf(controller.getFileName());
        List<String> others = Sharing.reasons(kernel, name, volumes);
        if (!others.isEmpty()) {
            throw shared(function, others);
        }
    }

    private static PeerlaneException shared(SysfsFunction function, List<String> others) {
        return PeerlaneException.refused(
                "device-shared",
                "other hosts may use %s: %s".formatted(function.bdf(), String.join("; ", others)),
                "See that no other host or controller uses it, then allow shared drives");
    }

    /**
     * Checks that no program uses the function through VFIO or UIO, since unbinding it would hang
     * until the program closes it.
     */
    void noProgram(SysfsFunction function) {
        VfioUse.Answer answer = new VfioUse(kernel, system).of(function);
        if (!answer.users().isEmpty()) {
            throw PeerlaneException.refused(
                    "device-in-use",
                    "%s is in use: %s".formatted(function.bdf(), String.join("; ", answer.users())),
                    "End that program first");
        }
        if (!answer.unknown().isEmpty()) {
            throw PeerlaneException.refused(
                    "device-in-use",
                    "%s is not bound, because a program may use it: %s"
                            .formatted(function.bdf(), String.join("; ", answer.unknown())),
                    "Run as root, outside any container");
        }
    }
}
