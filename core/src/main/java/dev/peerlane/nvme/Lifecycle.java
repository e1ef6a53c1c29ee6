package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Crto;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.Reg;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Claims, enables, shuts down and stops a controller (NVMe Base 2.0, 3.5 and 3.6). */
final class Lifecycle {
    private static final int MASS_STORAGE_NVM = 0x0108;
    private static final int RELAXED_ORDERING = 1 << 4;
    private static final long MILLI = 1_000_000L;

    private final PciDevice device;
    private final String locator;
    private final Clock clock;
    private final ControllerOptions options;
    private @Nullable Registers registers;
    private @Nullable QueuePair programmed;
    private Cap cap = new Cap(0);
    private Vs vs = new Vs(0);

    /** Whether this driver set CC.EN. If so, the controller is disabled even if CC.EN reads 0. */
    private boolean enabled;

    Lifecycle(PciDevice device, Clock clock, ControllerOptions options) {
        this.device = device;
        this.locator = device.locator();
        this.clock = clock;
        this.options = options;
    }

    Registers registers() {
        if (registers == null) {
            throw new IllegalStateException("not claimed");
        }
        return registers;
    }

    Cap cap() {
        return cap;
    }

    Vs vs() {
        return vs;
    }

    /** Checks the function, turns memory decoding on, and checks the controller's capabilities. */
    void claim() {
        ConfigSpace config = device.config();
        if (config.isGone()) {
            throw ControllerFault.gone(locator, "in configuration space");
        }
        int kind = config.classCode() >>> 8;
        if (kind != MASS_STORAGE_NVM) {
            throw ControllerFault.unsupported(
                    locator,
                    "class code %06Xh is no NVMe controller".formatted(config.classCode()),
                    "name a function of class 0108h");
        }
        int command = config.load16(ConfigSpace.COMMAND);
        if ((command & ConfigSpace.COMMAND_MEMORY) == 0) {
            config.store16(ConfigSpace.COMMAND, command | ConfigSpace.COMMAND_MEMORY);
        }
        Registers r = new Registers(device.bar(0), locator, clock);
        registers = r;
        r.csts("on arrival");
        vs = new Vs(r.load32(Reg.VS));
        cap = new Cap(r.load64LowFirst(Reg.CAP));
        checkCapabilities();
    }

    private void checkCapabilities() {
        boolean ones = vs.raw() == -1 || (int) cap.raw() == -1 || cap.raw() >> 32 == -1;
        if (vs.mjr() == 0 || cap.raw() == 0 || ones) {
            throw ControllerFault.nonsense(
                    locator, "VS reads %08Xh and CAP %016Xh".formatted(vs.raw(), cap.raw()));
        }
        if ((cap.css() & (Cap.CSS_NVM | Cap.CSS_IOCS)) == 0) {
            throw ControllerFault.unsupported(
                    locator,
                    "CAP.CSS %02Xh has no NVM command set".formatted(cap.css()),
                    "use an I/O controller");
        }
        if (cap.mpsmin() != 0) {
            throw ControllerFault.unsupported(
                    locator,
                    "smallest memory page is %d bytes".formatted(cap.minPageBytes()),
                    "only controllers with pages of 4096 bytes are supported");
        }
        if (cap.mqesZ() < 1) {
            throw ControllerFault.nonsense(locator, "CAP.MQES is 0: queues of one entry");
        }
        if (registers().queuePairsWithDoorbells(cap.dstrd()) < 2) {
            throw ControllerFault.nonsense(
                    locator,
                    "doorbells %d bytes apart do not fit BAR 0"
                            .formatted(cap.doorbellStrideBytes()));
        }
    }

    /**
     * Turns Relaxed Ordering off (PCIe 5.0, 7.5.3.4) and reads it back.
     *
     * @return whether it is off; false if there is no PCI Express capability
     */
    boolean relaxedOrderingOff() {
        ConfigSpace config = device.config();
        OptionalInt at = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        if (at.isEmpty()) {
            return false;
        }
        int register = at.getAsInt() + ConfigSpace.EXP_DEVICE_CONTROL;
        int control = config.load16(register);
        if ((control & RELAXED_ORDERING) != 0) {
            config.store16(register, control & ~RELAXED_ORDERING);
        }
        return (config.load16(register) & RELAXED_ORDERING) == 0;
    }

    /**
     * Returns the longest wait for a change of CSTS.RDY, from CAP.TO and, if it applies, CRTO
     * (3.1.3.20).
     */
    private long readyTimeoutNanos() {
        long millis = cap.timeoutMillis();
        if (cap.crms() != 0) {
            // CC.CRIME stays 0, so RDY implies that the media are ready too.
            Crto crto = new Crto(registers().load32(Reg.CRTO));
            millis = Math.max(millis, crto.withMediaTimeoutMillis());
        }
        return millis * MILLI + options.readyGraceNanos();
    }

    /**
     * Disables a controller that an earlier user may have left enabled. Resets the function if that
     * fails.
     */
    void disableOnArrival() {
        try {
            disable(true);
        } catch (ControllerFault e) {
            if (e.kind() == ControllerFault.Kind.GONE) {
                throw e;
            }
            try {
                device.reset();
                disable(false);
            } catch (PeerlaneException again) {
                e.addSuppressed(again);
                throw e;
            }
        }
    }

    /**
     * Clears CC.EN and waits for CSTS.RDY = 0. Works with a fatal status too.
     *
     * @param patient whether to wait first for RDY = 1, in case another program has just enabled
     *     the controller
     */
    void disable(boolean patient) {
        Registers r = registers();
        Cc cc = r.cc();
        Csts csts = r.csts("before it was disabled");
        long timeout = readyTimeoutNanos();
        if (cc.en() || enabled) {
            if (patient && !csts.rdy() && !csts.cfs()) {
                // EN must not change before RDY has followed it (3.1.3.5). Wait, then go on
                // regardless.
                clock.await(
                        () -> {
                            Csts now = r.csts("while it became ready");
                            return now.rdy() || now.cfs() || !r.cc().en();
                        },
                        timeout);
            }
            r.store32(Reg.CC, cc.withEn(false).withShn(Cc.SHN_NONE).raw());
        }
        r.awaitReady(false, false, timeout);
        enabled = false;
        programmed = null;
    }

    /** Programs the admin queues, sets CC.EN and waits for CSTS.RDY = 1. */
    void enable(QueuePair admin) {
        Registers r = registers();
        device.busMaster(true);
        r.store32(Reg.AQA, Aqa.of(admin.entries(), admin.entries()).raw());
        r.store64LowFirst(Reg.ASQ, admin.sqBusAddress());
        r.store64LowFirst(Reg.ACQ, admin.cqBusAddress());
        programmed = admin;
        boolean allSets = (cap.css() & Cap.CSS_IOCS) != 0;
        Cc cc =
                new Cc(0)
                        .withCss(allSets ? Cc.CSS_ALL : Cc.CSS_NVM)
                        .withIosqes(Cc.IOSQES_NVM)
                        .withIocqes(Cc.IOCQES_NVM);
        r.store32(Reg.CC, cc.raw());
        checkProgrammed(admin);
        enabled = true;
        r.store32(Reg.CC, cc.withEn(true).raw());
        r.awaitReady(true, true, readyTimeoutNanos());
    }

    /**
     * Checks that the admin queue registers still hold what was written. If not, a reset came
     * between.
     */
    private void checkProgrammed(QueuePair admin) {
        Registers r = registers();
        int aqa = r.load32(Reg.AQA);
        long asq = r.load64LowFirst(Reg.ASQ);
        long acq = r.load64LowFirst(Reg.ACQ);
        if (aqa != Aqa.of(admin.entries(), admin.entries()).raw()
                || asq != admin.sqBusAddress()
                || acq != admin.cqBusAddress()) {
            String when = "while its admin queues were set up";
            throw ControllerFault.resetByOthers(
                    locator,
                    r.csts(when).raw(),
                    "%s: AQA %08Xh, ASQ %016Xh, ACQ %016Xh".formatted(when, aqa, asq, acq));
        }
    }

    /**
     * Returns the exception that explains a failure. A controller that is gone, or that somebody
     * else has reset, explains any failure.
     *
     * @param when what was being done, worded to follow a subject
     */
    RuntimeException explain(RuntimeException seen, String when) {
        ControllerFault lost = lost(when);
        if (lost == null
                || (seen instanceof ControllerFault e
                        && (e.kind() == lost.kind()
                                || e.kind() == ControllerFault.Kind.RESET_BY_OTHERS))) {
            return seen;
        }
        lost.addSuppressed(seen);
        return lost;
    }

    private @Nullable ControllerFault lost(String when) {
        try {
            ConfigSpace config = device.config();
            if (config.isGone()) {
                return ControllerFault.gone(locator, when);
            }
            Registers r = registers;
            if (r == null) {
                return null;
            }
            if ((config.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_MEMORY) == 0) {
                return ControllerFault.resetByOthers(
                        locator, -1, when + ", and its memory decoding is off");
            }
            Csts csts = r.csts(when);
            QueuePair admin = programmed;
            if (admin != null) {
                checkProgrammed(admin);
                return enabled && !r.cc().en()
                        ? ControllerFault.resetByOthers(locator, csts.raw(), when)
                        : null;
            }
            return null;
        } catch (ControllerFault e) {
            return e;
        } catch (RuntimeException | InternalError e) {
            return null; // the earlier failure says as much
        }
    }

    /**
     * Requests an orderly shutdown and waits for it (3.6.1).
     *
     * @return null, or what did not work
     */
    @Nullable String shutdown(long declaredNanos) {
        Registers r = registers();
        Cc cc = r.cc();
        if (!cc.en()) {
            return null;
        }
        r.store32(Reg.CC, cc.withShn(Cc.SHN_NORMAL).raw());
        long timeout = Math.min(declaredNanos, options.shutdownTimeoutNanos());
        boolean done =
                clock.await(
                        () -> {
                            Csts now = r.csts("during shutdown");
                            return now.cfs() || now.shst() == Csts.SHST_COMPLETE;
                        },
                        timeout);
        Csts last = r.csts("during shutdown");
        return done && !last.cfs()
                ? null
                : "shutdown did not complete within %d ms: CSTS %08Xh"
                        .formatted(timeout / MILLI, last.raw());
    }

    /**
     * Ensures that the controller touches no memory. Disables it; if that fails, resets the
     * function; if that fails, turns bus mastering off. A controller that is gone touches no
     * memory.
     *
     * @return whether the function was reset
     * @throws ControllerFault {@code controller-stuck} if nothing works
     */
    boolean stop(Runnable beforeFunctionReset) {
        Throwable first;
        try {
            disable(false);
            return false;
        } catch (RuntimeException | Error e) {
            // errors of the clock too: the next steps need no clock
            if (isSilent(e)) {
                device.busMaster(false);
                return false;
            }
            first = e;
        }
        beforeFunctionReset.run();
        try {
            device.reset();
            disable(false);
            return true;
        } catch (RuntimeException | Error e) {
            first.addSuppressed(e);
        }
        device.busMaster(false);
        int command = device.config().load16(ConfigSpace.COMMAND);
        if ((command & ConfigSpace.COMMAND_BUS_MASTER) != 0 && !device.config().isGone()) {
            throw ControllerFault.stuck(
                    locator, "it can be neither disabled nor reset nor cut off the bus", first);
        }
        return true;
    }

    /**
     * Returns whether an exception means that the registers no longer answer: all ones, or SIGBUS
     * if they are mapped.
     */
    private static boolean isSilent(Throwable e) {
        return e instanceof InternalError
                || e instanceof MemoryFault
                || (e instanceof ControllerFault f && f.kind() == ControllerFault.Kind.GONE);
    }
}
