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
 * Moves functions between their drivers and vfio-pci, by {@code driver_override}. Plans first,
 * which changes nothing; what was applied can be undone, by this process or another: the driver and
 * the override of before are written down ({@link SystemRoot#state}).
 *
 * <p>A function whose block devices are mounted, used as swap, part of a stack, or held by anybody
 * is refused always; so is every bridge, all that has other functions below it, what the machine
 * needs (a network card that is up, the console), and one whose IOMMU group would not be usable. A
 * function that is not NVMe, or a drive that another host may use, is refused unless the options
 * say otherwise. From the checks until it has left its driver its block devices are held
 * exclusively.
 */
public final class Binder {
    private static final String VFIO = "vfio-pci";
    private static final String NVME = "nvme";

    private final SystemRoot system;
    private final SystemWriter writer;
    private final BindChecks checks;
    private final Origins origins;

    /** Makes one; {@code options} says where sysfs, procfs and the state are. */
    public Binder(Kernel kernel, SystemRoot system, SystemWriter writer) {
        this.system = system;
        this.writer = writer;
        checks = new BindChecks(kernel, system);
        origins = new Origins(system.state());
    }

    /**
     * Plans to give functions to vfio-pci.
     *
     * @throws PeerlaneException of category REFUSED if one must stay where it is, of category
     *     MACHINE if one is not there or can't be looked at
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
                        "%s is with no driver, so nobody asked it whether other hosts use it"
                                .formatted(bdf));
            }
            if (mayLosePower(function)) {
                notes.add(
                        ("%s may go to D3cold while no program has it open: its CMB is empty after"
                                        + " that, and the doctor does not look at what sleeps;"
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

    /** What vfio-pci has that nobody uses is suspended, unless its parameter says no. */
    private boolean mayLosePower(SysfsFunction function) {
        Path parameter = system.sys().resolve("module/vfio_pci/parameters/disable_idle_d3");
        Path allowed = FunctionFolder.of(system.sys(), function).resolve("d3cold_allowed");
        return "1".equals(KernelFiles.text(allowed)) && !"Y".equals(KernelFiles.text(parameter));
    }

    /** A process that was killed while it bound the function has left it halfway. */
    private Origin before(SysfsFunction function) {
        Origin written = VFIO.equals(function.driverOverride()) ? origins.read(function) : null;
        return written != null ? written : new Origin(function.driver(), function.driverOverride());
    }

    /**
     * Plans to give functions back to the driver and the override that they had before they were
     * bound, or, where nobody wrote that down, to the driver that Linux has for them.
     *
     * @throws PeerlaneException if one is in use by a program or is not there
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
                notes.add("%s is with %s already".formatted(bdf, driver));
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
     * Returns the functions that were bound and not given back since the machine started, by
     * whichever process, as far as they are still there.
     */
    public List<Bdf> bound() {
        SysfsTree tree = SysfsTree.list(system.sys());
        return origins.all().stream()
                .filter(bdf -> tree.function(bdf).filter(f -> origins.read(f) != null).isPresent())
                .toList();
    }

    /**
     * Does what a plan says. If a step fails, what was done is undone.
     *
     * @throws PeerlaneException if a step fails, a function ends up elsewhere, or one has come into
     *     use since it was planned
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

    /** Nobody can mount it from here on until it has left its driver. */
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
        SysfsFunction now = require(SysfsTree.list(system.sys()), move.bdf());
        List<Step> steps = new ArrayList<>();
        back(now, new Origin(move.from(), move.override()), steps);
        steps.forEach(this::perform);
        checkArrived(move.bdf(), move.from());
        if (!VFIO.equals(move.from())) {
            origins.remove(move.bdf());
        }
    }

    /** A driver takes a function by name only if the override is empty or names it. */
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
                                "See whether this kernel has it (modinfo %s), and takes it:"
                                                .formatted(load.module())
                                        + " with Secure Boot only what is signed";
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
                    "%s is with %s now, not with %s"
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
