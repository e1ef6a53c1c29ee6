package dev.peerlane.emulator;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.bus.HostAccess;
import dev.peerlane.emulator.controller.NvmeController;
import dev.peerlane.emulator.controller.RegisterBlock;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.FabricOwner;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An emulated drive that is open. */
final class EmulatedDevice extends PciDevice implements EmulatedBar.Opened {
    private final FabricOwner owner;
    private final EmulatedFunction function;
    private final String locator;
    private final Consumer<EmulatedDevice> closing;
    private final List<EmulatedBar> bars = new ArrayList<>();
    private boolean open = true;

    EmulatedDevice(
            FabricOwner owner,
            EmulatedFunction function,
            NvmeController controller,
            @Nullable HostAccess host,
            Consumer<EmulatedDevice> closing) {
        this.owner = owner;
        this.function = function;
        this.locator = Objects.requireNonNull(function.locator());
        this.closing = closing;
        for (EmulatedFunction.BarSpace space : function.bars()) {
            RegisterBlock registers = controller.registers(space.index());
            bars.add(new EmulatedBar(this, function, space, registers, host));
        }
        ConfigSpace config = function.config();
        int command = config.load16(ConfigSpace.COMMAND);
        config.store16(ConfigSpace.COMMAND, command | ConfigSpace.COMMAND_MEMORY);
    }

    @Override
    public void checkOwner() {
        owner.check();
    }

    @Override
    public boolean isOpen() {
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
        function.resetByHost();
    }

    @Override
    public void close() {
        checkOwner();
        if (open) {
            busMaster(false);
            open = false;
            closing.accept(this);
        }
    }
}
