package dev.peerlane.qtest;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction.BarWindow;
import java.util.OptionalInt;

/** An open function of a running QEMU. */
final class QtestDevice extends PciDevice implements QtestDma.Function {
    private static final int TRANSACTIONS_PENDING = 1 << 5;
    private static final int BARS = 6;
    private static final long RESET_NANOS = 1_000_000_000L;

    private final QtestSocket socket;
    private final Clock clock;
    private final DmaDomain dma;
    private final PciNode node;
    private final String locator;
    private final Runnable released;
    private boolean closed;

    /**
     * Creates an open function.
     *
     * @param clock used to wait for a reset
     * @param dma the domain of the fabric
     * @param released called once, when the function is closed
     */
    QtestDevice(
            QtestSocket socket,
            Clock clock,
            DmaDomain dma,
            PciNode node,
            String locator,
            Runnable released) {
        this.socket = socket;
        this.clock = clock;
        this.dma = dma;
        this.node = node;
        this.locator = locator;
        this.released = released;
    }

    @Override
    public Bdf bdf() {
        return node.bdf();
    }

    @Override
    public String locator() {
        return locator;
    }

    @Override
    public ConfigSpace config() {
        return node.config();
    }

    @Override
    public Bar bar(int index) {
        checkOpen();
        for (BarWindow window : node.bars()) {
            if (window.index() == index) {
                return new QtestBar(socket, window);
            }
        }
        throw PeerlaneException.machine(
                "no-such-bar",
                "%s has no memory BAR %d".formatted(locator, index),
                "Use one of " + node.bars().stream().map(BarWindow::index).toList());
    }

    @Override
    public void busMaster(boolean enabled) {
        checkOpen();
        setBusMaster(enabled);
    }

    @Override
    public void reset() {
        checkOpen();
        if (!resetIfCapable()) {
            throw PeerlaneException.machine(
                    "no-function-reset",
                    locator + " has no Function Level Reset",
                    "Use a device that has one");
        }
    }

    /**
     * Resets the function if it has Function Level Reset (PCIe 5.0, 7.5.3.3). Returns whether it
     * has.
     */
    boolean resetIfCapable() {
        OptionalInt express = node.config().capability(ConfigSpace.CAP_PCI_EXPRESS);
        boolean capable =
                express.isPresent()
                        && (node.config()
                                                .load32(
                                                        express.getAsInt()
                                                                + ConfigSpace
                                                                        .EXP_DEVICE_CAPABILITIES)
                                        & ConfigSpace.EXP_FLR_CAPABLE)
                                != 0;
        if (capable) {
            functionReset(express.getAsInt());
        }
        return capable;
    }

    @Override
    public boolean decodes(DmaDomain domain, Bar bar) {
        return !closed
                && dma == domain
                && (node.config().load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_MEMORY) != 0
                && node.bars().stream().anyMatch(w -> w.address() == bar.pciAddress());
    }

    private void functionReset(int express) {
        ConfigSpace config = node.config();
        int identity = config.load32(ConfigSpace.VENDOR_ID);
        int command = config.load16(ConfigSpace.COMMAND);
        int cacheLine = config.load32(ConfigSpace.CACHE_LINE);
        int interrupt = config.load32(ConfigSpace.INTERRUPT_LINE);
        int control = config.load16(express + ConfigSpace.EXP_DEVICE_CONTROL);
        int control2 = config.load16(express + ConfigSpace.EXP_DEVICE_CONTROL_2);
        int[] bars = new int[BARS];
        for (int i = 0; i < BARS; i++) {
            bars[i] = config.load32(ConfigSpace.BAR0 + 4 * i);
        }
        setBusMaster(false);
        // Wait for pending transactions, but a stuck function must not prevent its reset.
        boolean idle =
                clock.await(
                        () ->
                                (config.load16(express + ConfigSpace.EXP_DEVICE_STATUS)
                                                & TRANSACTIONS_PENDING)
                                        == 0,
                        RESET_NANOS);
        config.store16(
                express + ConfigSpace.EXP_DEVICE_CONTROL, control | ConfigSpace.EXP_INITIATE_FLR);
        boolean back =
                clock.await(() -> config.load32(ConfigSpace.VENDOR_ID) == identity, RESET_NANOS);
        if (!back) {
            throw resetFailed("did not come back", idle);
        }
        for (int i = 0; i < BARS; i++) {
            config.store32(ConfigSpace.BAR0 + 4 * i, bars[i]);
        }
        config.store32(ConfigSpace.CACHE_LINE, cacheLine);
        config.store32(ConfigSpace.INTERRUPT_LINE, interrupt);
        config.store16(express + ConfigSpace.EXP_DEVICE_CONTROL, control);
        config.store16(express + ConfigSpace.EXP_DEVICE_CONTROL_2, control2);
        config.store16(ConfigSpace.COMMAND, command);
        for (int i = 0; i < BARS; i++) {
            if (config.load32(ConfigSpace.BAR0 + 4 * i) != bars[i]) {
                throw resetFailed("did not take its BAR" + i + " back", idle);
            }
        }
    }

    private PeerlaneException resetFailed(String what, boolean idle) {
        String pending = idle ? "" : ", with transactions pending";
        return PeerlaneException.io(
                "function-reset-failed",
                "%s %s after Function Level Reset%s".formatted(locator, what, pending),
                "Restart QEMU and attach again");
    }

    private void setBusMaster(boolean enabled) {
        int command = node.config().load16(ConfigSpace.COMMAND);
        node.config().store16(ConfigSpace.COMMAND, ConfigSpace.withBusMaster(command, enabled));
    }

    private void checkOpen() {
        socket.checkOwner();
        if (closed) {
            throw new IllegalStateException(locator + " is closed");
        }
    }

    @Override
    public void close() {
        socket.checkOwner();
        if (closed) {
            return;
        }
        closed = true;
        released.run();
        if (socket.usable()) {
            setBusMaster(false);
        }
    }
}
