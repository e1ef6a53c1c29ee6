package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;

/** A function that somebody has opened. */
final class UserDevice extends PciDevice {
    private final VfioUserFabric fabric;
    private final UserFunction function;
    private boolean closed;

    UserDevice(VfioUserFabric fabric, UserFunction function) {
        this.fabric = fabric;
        this.function = function;
    }

    UserFunction function() {
        return function;
    }

    boolean isOpen() {
        return !closed;
    }

    @Override
    public Bdf bdf() {
        return function.bdf();
    }

    @Override
    public String locator() {
        return function.locator();
    }

    @Override
    public ConfigSpace config() {
        return function.config();
    }

    @Override
    public Bar bar(int index) {
        for (UserBar bar : function.bars()) {
            if (bar.index() == index) {
                return bar;
            }
        }
        throw PeerlaneException.machine(
                "no-such-bar",
                locator() + " has no memory BAR " + index,
                "Use one of " + function.bars().stream().map(UserBar::index).toList());
    }

    @Override
    public void busMaster(boolean enabled) {
        fabric.checkThread();
        function.busMaster(enabled);
    }

    @Override
    public void reset() {
        fabric.checkThread();
        int command = config().load16(ConfigSpace.COMMAND);
        if (!function.reset()) {
            throw PeerlaneException.machine(
                    "no-reset", locator() + " has no reset", "Start its server again");
        }
        config().store16(ConfigSpace.COMMAND, command);
    }

    @Override
    public void close() {
        fabric.checkThread();
        if (!closed) {
            closed = true;
            fabric.released(this);
            busMaster(false);
        }
    }
}
