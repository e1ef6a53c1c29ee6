package dev.peerlane.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.binding.BindPlan.Allow;
import dev.peerlane.binding.BindPlan.Load;
import dev.peerlane.binding.BindPlan.Move;
import dev.peerlane.binding.BindPlan.Step;
import dev.peerlane.binding.BindPlan.Write;
import dev.peerlane.binding.Origins.Origin;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Moves functions between their drivers and vfio-pci, by {@code driver_override}. Planning changes
 * nothing. An applied plan can be undone, by this process or another one: each function's former
 * driver and override are kept in files ({@link SystemRoot#state}).
 *
 * <p>Binding always refuses a function whose block devices are mounted, used as swap, part of a
 * stack, or held open; a bridge; a function with other functions below it; one that the machine
 * needs (a network card that is up, the console); and one whose IOMMU group would not be usable. It
 * refuses a function that is not NVMe, and a drive that another host may use, unless {@link Allow}
 * says otherwise. From the checks until the function has left its driver, its block devices are
 * held exclusively.
 */
public final class Binder {
    private static final String VFIO = "vfio-pci";
    private static final String NVME = "nvme";

    private final SystemRoot system;
    private final SystemWriter writer;
    private final BindChecks checks;
    private final Origins origins;

    /**
     * Creates a binder for a machine.
     *
     * @param kernel opens block devices and nodes of VFIO
     * @param system the machine's sysfs, procfs and state
     * @param writer changes the machine
     */
    public Binder(Kernel kernel, SystemRoot system, SystemWriter writer) {
        this.system = system;
        this.writer = writer;
        checks = new BindChecks(kernel, system);
        origins = new Origins(system.state());
    }

    /**
     * Plans to bind functions to vfio-pci.
     *
     * @throws PeerlaneException of category REFUSED if a function must keep its driver, of category
     *     MACHINE if one is missing or can't be examined
     */
    public BindPlan bind(List<Bdf> functions, Collection<Allow> allowed) {
        SysfsTree tree = SysfsTree.list(system.sys());
        List<Move> moves = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        boolean loaded = hasDriver(VFIO);
        for (Bdf bdf : new TreeSet<>(functions)) {
            SysfsFunction function = require(tree, bdf);
            checks.kind(tree, function, allowed);
            BindChecks.group(tree, function, functions);
            if (VFIO.equals(function.driver())) {
                moves.add(new Move(bdf, VFIO, VFIO, function.driverOverride(), List.of()));
                continue;
            }
            checks.unused(function, allowed).release();
            List<Step> steps = new ArrayList<>();
            if (!loaded) {
                steps.add(new Load(VFIO));
                loaded = true;
            }
            steps.add(override(function, VFIO));
            release(function, steps);
            steps.add(probe(bdf));
            Origin before = before(function);
            moves.add(new Move(bdf, before.driver(), VFIO, before.override(), steps));
            if (function.driver() == null && function.function().isNvme()) {
                notes.add(
                        "%s has no driver, so it is unknown whether other hosts use it"
                                .formatted(bdf));
            }
            if (mayLosePower(function)) {
                notes.add(
                        ("%s may go to D3cold while no program has it open: that clears its CMB,"
                                        + " and the doctor does not read suspended devices;"
                                        + " disable_idle_d3=1 of vfio-pci keeps it awake")
                                .formatted(bdf));
            }
            if (function.iommuGroup() < 0) {
                notes.add(
                        "%s is in no IOMMU group: vfio-pci will refuse it until the IOMMU is on"
                                .formatted(bdf));
            }
        }
        return new BindPlan(moves, notes, Set.copyOf(allowed));
    }

    /**
     * Returns whether a function may go to D3cold: vfio-pci suspends unused functions unless its
     * parameter disable_idle_d3 is set.
     */
    private boolean mayLosePower(SysfsFunction function) {
        Path parameter = system.sys().resolve("module/vfio_pci/parameters/disable_idle_d3");
        Path allowed = FunctionFolder.of(system.sys(), function).resolve("d3cold_allowed");
        return "1".equals(KernelFiles.text(allowed)) && !"Y".equals(KernelFiles.text(parameter));
    }

    /**
     * Returns the function's driver and override before it was bound. If a process was killed while
     * it bound the function, they are in the file that it left.
     */
    private Origin before(SysfsFunction function) {
        Origin written = VFIO.equals(function.driverOverride()) ? origins.read(function) : null;
        return written != null ? written : new Origin(function.driver(), function.driverOverride());
    }

    /**
     * Plans to return functions to the driver and the override that they had before they were
     * bound. If those were not recorded, the functions go to the driver that Linux chooses.
     *
     * @throws PeerlaneException if a function is in use by a program or is missing
     */
    public BindPlan unbind(List<Bdf> functions) {
        SysfsTree tree = SysfsTree.list(system.sys());
        List<Move> moves = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (Bdf bdf : new TreeSet<>(functions)) {
            SysfsFunction function = require(tree, bdf);
            String driver = function.driver();
            Origin origin = origins.read(function);
            boolean here = VFIO.equals(driver);
            if (!here && driver != null && !VFIO.equals(function.driverOverride())) {
                notes.add("%s is bound to %s already".formatted(bdf, driver));
                moves.add(new Move(bdf, driver, driver, function.driverOverride(), List.of()));
                continue;
            }
            if (here) {
                checks.noProgram(function);
            }
            List<Step> steps = new ArrayList<>();
            if (!here && driver != null && origin != null && !driver.equals(origin.driver())) {
                checks.unused(function, Set.of(Allow.values())).release();
            }
            String to = origin != null ? origin.driver() : null;
            if (origin != null) {
                back(function, origin, steps);
            } else {
                to = function.function().isNvme() ? NVME : null;
                if (to != null && !hasDriver(to)) {
                    steps.add(new Load(to));
                }
                steps.add(override(function, ""));
                if (to == null || !to.equals(driver)) {
                    release(function, steps);
                    steps.add(probe(bdf));
                }
            }
            moves.add(new Move(bdf, driver, to, function.driverOverride(), steps));
        }
        return new BindPlan(moves, notes, Set.of());
    }

    /**
     * Returns the functions that any process has bound since boot and that were not returned.
     * Functions that are no longer present are left out.
     */
    public List<Bdf> bound() {
        SysfsTree tree = SysfsTree.list(system.sys());
        return origins.all().stream()
                .filter(bdf -> tree.function(bdf).filter(f -> origins.read(f) != null).isPresent())
                .toList();
    }

    /**
     * Carries out a plan. If a step fails, the earlier steps are undone.
     *
     * @throws PeerlaneException if a step fails, a function ends up with another driver, or one has
     *     come into use since the plan was made
     */
    public void apply(BindPlan plan) {
        List<Move> begun = new ArrayList<>();
        try {
            for (Move move : plan.moves()) {
                if (!move.steps().isEmpty() && VFIO.equals(move.to())) {
                    take(move, plan, begun);
                } else if (!move.steps().isEmpty()) {
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
        for (Move move : plan.moves()) {
            if (!VFIO.equals(move.to())) {
                origins.remove(move.bdf());
            }
        }
    }

    /**
     * Binds a function to vfio-pci. Nothing can mount it between the checks and the moment it has
     * left its driver.
     */
    private void take(Move move, BindPlan plan, List<Move> begun) {
        SysfsTree tree = SysfsTree.list(system.sys());
        SysfsFunction function = require(tree, move.bdf());
        checks.kind(tree, function, plan.allowed());
        try (BlockClaim claim = checks.unused(function, plan.allowed())) {
            origins.write(function, new Origin(move.from(), move.override()));
            begun.add(move);
            for (Step step : move.steps()) {
                perform(step);
                if (step instanceof Write write && write.releases()) {
                    claim.release();
                }
            }
        }
        checkArrived(move.bdf(), VFIO);
    }

    /**
     * Returns every function of a plan to the driver and the override that it had before.
     *
     * @throws PeerlaneException if a function can't be returned; the others are returned all the
     *     same
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
        SysfsFunction now = require(SysfsTree.list(system.sys()), move.bdf());
        List<Step> steps = new ArrayList<>();
        back(now, new Origin(move.from(), move.override()), steps);
        steps.forEach(this::perform);
        checkArrived(move.bdf(), move.from());
        if (!VFIO.equals(move.from())) {
            origins.remove(move.bdf());
        }
    }

    /**
     * Adds the steps that return a function to its origin. Binding by name works only while the
     * override is empty or names the driver, so another override is written last.
     */
    private void back(SysfsFunction now, Origin origin, List<Step> steps) {
        String driver = origin.driver();
        String override = origin.override();
        boolean moves = !Objects.equals(now.driver(), driver);
        boolean hinders = moves && driver != null && override != null && !override.equals(driver);
        String first = hinders ? null : override;
        if (!Objects.equals(now.driverOverride(), first)) {
            steps.add(override(now, first == null ? "" : first));
        }
        if (moves) {
            release(now, steps);
            if (driver != null) {
                if (!hasDriver(driver)) {
                    steps.add(new Load(driver));
                }
                Path bind = system.sys().resolve("bus/pci/drivers/" + driver + "/bind");
                steps.add(new Write(bind, now.bdf().toString()));
            }
        }
        if (hinders && override != null) {
            steps.add(override(now, override));
        }
    }

    private Write override(SysfsFunction function, String driver) {
        return new Write(
                FunctionFolder.of(system.sys(), function).resolve("driver_override"), driver);
    }

    private Write probe(Bdf bdf) {
        return new Write(system.sys().resolve("bus/pci/drivers_probe"), bdf.toString());
    }

    private void release(SysfsFunction function, List<Step> steps) {
        if (function.driver() != null) {
            Path unbind = FunctionFolder.of(system.sys(), function).resolve("driver/unbind");
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
            String remedy =
                    switch (step) {
                        case Write write when e instanceof java.nio.file.AccessDeniedException ->
                                "Run as root";
                        case Write write -> "Look at the kernel's log";
                        case Load load ->
                                "See whether this kernel has it (modinfo %s), and accepts it:"
                                                .formatted(load.module())
                                        + " with Secure Boot it must be signed";
                    };
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "binding-failed",
                    "'%s' failed: %s".formatted(step, e.getMessage()),
                    remedy,
                    e);
        }
    }

    private void checkArrived(Bdf bdf, @Nullable String driver) {
        String now = require(SysfsTree.list(system.sys()), bdf).driver();
        if (!Objects.equals(now, driver) && driver != null) {
            throw PeerlaneException.machine(
                    "binding-failed",
                    "%s is now bound to %s, not to %s"
                            .formatted(bdf, now == null ? "no driver" : now, driver),
                    "Look at the kernel's log; vfio-pci needs the IOMMU to be on");
        }
    }

    private boolean hasDriver(String name) {
        return Files.isDirectory(system.sys().resolve("bus/pci/drivers").resolve(name));
    }

    private static SysfsFunction require(SysfsTree tree, Bdf bdf) {
        return tree.function(bdf)
                .orElseThrow(() ->
                        PeerlaneException.machine(
                                "no-such-device",
                                "there is no PCI function " + bdf,
                                "lspci -D -d ::0108 shows the NVMe functions"));
    }
}
