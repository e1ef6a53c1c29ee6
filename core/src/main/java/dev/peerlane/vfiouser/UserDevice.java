package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;

/** An open function behind a vfio-user socket. */
final class UserDevice extends PciDevice {
    /** What a device calls in its fabric. */
    interface Host {
        /** Throws unless the owner's thread calls. */
        void checkThread();

        /** Called when a device has been closed. */
        void released(UserDevice device);
    }

    private final Host host;
    private final UserFunction function;
    private boolean closed;

    UserDevice(Host host, UserFunction function) {
        this.host = host;
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
        host.checkThread();
        function.busMaster(enabled);
    }

    @Override
    public void reset() {
        host.checkThread();
        int command = config().load16(ConfigSpace.COMMAND);
        if (!function.reset()) {
            throw PeerlaneException.machine(
                    "no-reset", locator() + " has no reset", "Start its server again");
        }
        config().store16(ConfigSpace.COMMAND, command);
    }

    @Override
    public void close() {
        host.checkThread();
        if (!closed) {
            closed = true;
            host.released(this);
            busMaster(false);
        }
    }
}
