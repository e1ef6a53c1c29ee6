package dev.peerlane.vfio;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.SysfsFunction;
import dev.peerlane.pci.SysfsTree;
import dev.peerlane.vfio.BindPlan.Load;
import dev.peerlane.vfio.BindPlan.Move;
import dev.peerlane.vfio.BindPlan.Step;
import dev.peerlane.vfio.BindPlan.Write;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Moves functions between the kernel's nvme driver and vfio-pci, by {@code driver_override}. Plans
 * first, which changes nothing; what was applied can be undone.
 *
 * <p>A function whose block devices are mounted, used as swap, part of a stack, or held by anybody
 * is refused always; so is every bridge. A function that is not NVMe, or a drive that another host
 * may use, is refused unless the options say otherwise.
 */
public final class Binder {
    private static final String VFIO = "vfio-pci";
    private static final String NVME = "nvme";

    private final Kernel kernel;
    private final VfioOptions options;
    private final SystemWriter writer;

    /** What is refused unless it is told. */
    public enum Allow {
        /** A function that is no NVMe controller. */
        NOT_NVME,
        /** A drive that other controllers or hosts may use. */
        SHARED
    }

    /** Makes one; {@code options} says where sysfs and procfs are. */
    public Binder(Kernel kernel, VfioOptions options, SystemWriter writer) {
        this.kernel = kernel;
        this.options = options;
        this.writer = writer;
    }

    /**
     * Plans to give functions to vfio-pci.
     *
     * @throws PeerlaneException of category REFUSED if one must stay where it is, of category
     *     MACHINE if one is not there
     */
    public BindPlan bind(List<Bdf> functions, Collection<Allow> allowed) {
        SysfsTree tree = SysfsTree.read(options.sys());
        BlockUse use = new BlockUse(options, kernel);
        List<Move> moves = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        boolean loaded = hasDriver(VFIO);
        for (Bdf bdf : new TreeSet<>(functions)) {
            SysfsFunction function = require(tree, bdf);
            checkKind(function, allowed);
            if (VFIO.equals(function.driver())) {
                moves.add(new Move(bdf, VFIO, VFIO, function.driverOverride(), List.of()));
                continue;
            }
            checkUnused(function, use, allowed);
            List<Step> steps = new ArrayList<>();
            if (!loaded) {
                steps.add(new Load(VFIO));
                loaded = true;
            }
            steps.add(
                    new Write(
                            Inventory.directory(options.sys(), function).resolve("driver_override"),
                            VFIO));
            release(function, steps);
            steps.add(new Write(options.sys().resolve("bus/pci/drivers_probe"), bdf.toString()));
            moves.add(new Move(bdf, function.driver(), VFIO, function.driverOverride(), steps));
            note(tree, function, functions, notes);
        }
        return new BindPlan(moves, notes);
    }

    /**
     * Plans to give functions back to the driver that Linux has for them.
     *
     * @throws PeerlaneException if one is in use by a program or is not there
     */
    public BindPlan unbind(List<Bdf> functions) {
        SysfsTree tree = SysfsTree.read(options.sys());
        List<Move> moves = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        boolean loaded = hasDriver(NVME);
        for (Bdf bdf : new TreeSet<>(functions)) {
            SysfsFunction function = require(tree, bdf);
            String driver = function.driver();
            if (driver != null && !driver.equals(VFIO)) {
                notes.add("%s is with %s already".formatted(bdf, driver));
                moves.add(new Move(bdf, driver, driver, function.driverOverride(), List.of()));
                continue;
            }
            checkNoProgram(function);
            List<Step> steps = new ArrayList<>();
            boolean nvme = function.function().isNvme();
            if (nvme && !loaded) {
                steps.add(new Load(NVME));
                loaded = true;
            }
            steps.add(
                    new Write(
                            Inventory.directory(options.sys(), function).resolve("driver_override"),
                            ""));
            release(function, steps);
            steps.add(new Write(options.sys().resolve("bus/pci/drivers_probe"), bdf.toString()));
            String to = nvme ? NVME : null;
            moves.add(new Move(bdf, driver, to, function.driverOverride(), steps));
        }
        return new BindPlan(moves, notes);
    }

    /**
     * Does what a plan says. If a step fails, what was done is undone.
     *
     * @throws PeerlaneException if a step fails, or a function ends up elsewhere
     */
    public void apply(BindPlan plan) {
        List<Move> begun = new ArrayList<>();
        try {
            for (Move move : plan.moves()) {
                if (!move.steps().isEmpty()) {
                    begun.add(move);
                    move.steps().forEach(this::perform);
                    checkArrived(move.bdf(), move.to());
                }
            }
        } catch (RuntimeException e) {
            Cleanup cleanup = new Cleanup();
            begun.reversed().forEach(move -> cleanup.step(() -> undo(move)));
            cleanup.finish(e);
            throw e;
        }
    }

    /**
     * Puts every function of a plan back to the driver and the override it had before.
     *
     * @throws PeerlaneException if one can't be; the others are put back all the same
     */
    public void undo(BindPlan plan) {
        Cleanup cleanup = new Cleanup();
        for (Move move : plan.moves().reversed()) {
            if (!move.steps().isEmpty()) {
                cleanup.step(() -> undo(move));
            }
        }
        cleanup.finish();
    }

    private void undo(Move move) {
        SysfsFunction now = require(SysfsTree.read(options.sys()), move.bdf());
        List<Step> steps = new ArrayList<>();
        if (!Objects.equals(now.driverOverride(), move.override())) {
            String text = move.override() == null ? "" : move.override();
            steps.add(
                    new Write(
                            Inventory.directory(options.sys(), now).resolve("driver_override"),
                            text));
        }
        if (!Objects.equals(now.driver(), move.from())) {
            release(now, steps);
            if (move.from() != null) {
                Path bind = options.sys().resolve("bus/pci/drivers/" + move.from() + "/bind");
                steps.add(new Write(bind, move.bdf().toString()));
            }
        }
        steps.forEach(this::perform);
        checkArrived(move.bdf(), move.from());
    }

    private void release(SysfsFunction function, List<Step> steps) {
        if (function.driver() != null) {
            Path unbind = Inventory.directory(options.sys(), function).resolve("driver/unbind");
            steps.add(new Write(unbind, function.bdf().toString()));
        }
    }

    private void perform(Step step) {
        try {
            switch (step) {
                case Load load -> writer.load(load.module());
                case Write write -> writer.write(write.file(), write.text() + "\n");
            }
        } catch (IOException e) {
            boolean permission = e instanceof java.nio.file.AccessDeniedException;
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "binding-failed",
                    "'%s' failed: %s".formatted(step, e.getMessage()),
                    permission ? "Run as root" : "Look at the kernel's log",
                    e);
        }
    }

    private void checkArrived(Bdf bdf, @Nullable String driver) {
        String now = require(SysfsTree.read(options.sys()), bdf).driver();
        if (!Objects.equals(now, driver) && driver != null) {
            throw PeerlaneException.machine(
                    "binding-failed",
                    "%s is with %s now, not with %s"
                            .formatted(bdf, now == null ? "no driver" : now, driver),
                    "Look at the kernel's log; vfio-pci needs the IOMMU to be on");
        }
    }

    private boolean hasDriver(String name) {
        return Files.isDirectory(options.sys().resolve("bus/pci/drivers").resolve(name));
    }

    private static SysfsFunction require(SysfsTree tree, Bdf bdf) {
        return tree.function(bdf)
                .orElseThrow(() ->
                        PeerlaneException.machine(
                                "no-such-device",
                                "there is no PCI function " + bdf,
                                "lspci -D -d ::0108 shows the NVMe functions"));
    }

    private static void checkKind(SysfsFunction function, Collection<Allow> allowed) {
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

    private void checkUnused(SysfsFunction function, BlockUse use, Collection<Allow> allowed) {
        List<String> reasons = use.reasons(function);
        if (!reasons.isEmpty()) {
            throw PeerlaneException.refused(
                    "device-in-use",
                    "%s is in use: %s".formatted(function.bdf(), String.join("; ", reasons)),
                    "Unmount it, swapoff, or take it out of the stack first");
        }
        Path controller = Inventory.controller(options.sys(), function);
        if (controller != null && !allowed.contains(Allow.SHARED)) {
            String name = String.valueOf(controller.getFileName());
            List<String> others = Sharing.reasons(kernel, name, use.namespaces(function));
            if (!others.isEmpty()) {
                throw PeerlaneException.refused(
                        "device-shared",
                        "others may use %s: %s"
                                .formatted(function.bdf(), String.join("; ", others)),
                        "See that no other host or controller uses it, then say that it is shared");
            }
        }
    }

    /** Taking a device from under a program would hang until the program lets go of it. */
    private void checkNoProgram(SysfsFunction function) {
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

    private static void note(
            SysfsTree tree, SysfsFunction function, List<Bdf> named, List<String> notes) {
        if (function.iommuGroup() < 0) {
            notes.add(
                    "%s is in no IOMMU group: vfio-pci will refuse it until the IOMMU is on"
                            .formatted(function.bdf()));
            return;
        }
        for (SysfsFunction other : tree.group(function.iommuGroup())) {
            String driver = other.driver();
            if (!named.contains(other.bdf())
                    && !other.isBridge()
                    && driver != null
                    && !driver.equals(VFIO)) {
                notes.add(
                        "%s (%s) is in the IOMMU group of %s, which can't be used until it is bound"
                                        .formatted(other.bdf(), driver, function.bdf())
                                + " to vfio-pci too or to no driver");
            }
        }
    }
}
