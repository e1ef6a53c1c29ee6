package dev.peerlane.emulator;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.List;

/** A drive that somebody has opened. */
final class EmulatedDevice extends PciDevice {
    private static final int BAR_REGISTERS = 6;

    private final EmulatedFabric fabric;
    private final EmulatedFunction function;
    private final String locator;
    private final List<EmulatedBar> bars = new ArrayList<>();
    private boolean open = true;

    EmulatedDevice(
            EmulatedFabric fabric,
            EmulatedFunction function,
            EmulatedController controller,
            String locator) {
        this.fabric = fabric;
        this.function = function;
        this.locator = locator;
        for (EmulatedFunction.BarSpace space : function.bars()) {
            bars.add(new EmulatedBar(this, function, controller, space, fabric.packets()));
        }
        ConfigSpace config = function.config();
        int command = config.load16(ConfigSpace.COMMAND);
        config.store16(ConfigSpace.COMMAND, command | ConfigSpace.COMMAND_MEMORY);
    }

    void checkOwner() {
        fabric.checkOwner();
    }

    boolean isOpen() {
        return open;
    }

    @Override
    public Bdf bdf() {
        return function.bdf();
    }

    @Override
    public String locator() {
        return locator;
    }

    @Override
    public ConfigSpace config() {
        return function.config();
    }

    @Override
    public Bar bar(int index) {
        for (EmulatedBar bar : bars) {
            if (bar.index() == index) {
                return bar;
            }
        }
        throw PeerlaneException.machine(
                "no-such-bar",
                locator + " has no memory BAR " + index,
                "Use one of " + bars.stream().map(EmulatedBar::index).toList());
    }

    @Override
    public void busMaster(boolean enabled) {
        checkOwner();
        ConfigSpace config = function.config();
        int command = config.load16(ConfigSpace.COMMAND);
        config.store16(ConfigSpace.COMMAND, ConfigSpace.withBusMaster(command, enabled));
    }

    @Override
    public void reset() {
        checkOwner();
        ConfigSpace config = function.config();
        int command = config.load16(ConfigSpace.COMMAND);
        int control = config.load16(ConfigLayout.DEVICE_CONTROL);
        int[] saved = new int[BAR_REGISTERS];
        for (int i = 0; i < BAR_REGISTERS; i++) {
            saved[i] = config.load32(ConfigSpace.BAR0 + 4 * i);
        }
        config.store16(ConfigLayout.DEVICE_CONTROL, control | ConfigLayout.INITIATE_FLR);
        for (int i = 0; i < BAR_REGISTERS; i++) {
            config.store32(ConfigSpace.BAR0 + 4 * i, saved[i]);
        }
        config.store16(ConfigLayout.DEVICE_CONTROL, control);
        config.store16(ConfigSpace.COMMAND, command);
    }

    @Override
    public void close() {
        checkOwner();
        if (open) {
            busMaster(false);
            open = false;
            fabric.closed(this);
        }
    }
}
