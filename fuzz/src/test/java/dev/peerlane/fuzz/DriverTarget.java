package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cns;
import org.jspecify.annotations.Nullable;

/**
 * Fuzzes the driver with a device that gives arbitrary answers. The driver must end in bounded time
 * with typed errors only, free all memory, and free none while the device can still write it.
 */
public final class DriverTarget {
    private static final int CONFIG_LIES = 8;

    /** Long, because a controller may declare nine hours to become ready (CRTO, 3.1.3.21). */
    private static final long TURN_NANOS = 500_000_000L;

    private static final int MAX_TURNS = 400_000;
    private static final int ACTIONS = 15;
    private static final int MOST_ACTIONS = 40;

    private final Input input;
    private final FuzzedController device;
    private final FuzzedMemory memory;
    private final FuzzedDevice function;
    private @Nullable NvmeBlockPort port;
    private @Nullable PeerBuffer buffer;
    private int slot = -1;
    private boolean inFlight;

    private final Completions done =
            new Completions() {
                @Override
                public void completed(int completedSlot, int status) {
                    inFlight = false;
                }
            };

    private DriverTarget(byte[] data) {
        input = new Input(data);
        boolean configLies = (input.int8() & CONFIG_LIES) != 0;
        device = new FuzzedController(input);
        memory = new FuzzedMemory(device);
        function = new FuzzedDevice(device, input, configLies);
        device.attach(memory, function);
    }

    /** Runs one input. */
    public static void fuzzerTestOneInput(byte[] data) {
        new DriverTarget(data).run();
    }

    private final class VirtualClock extends Clock {
        private int turns;

        @Override
        public long nanoTime() {
            return turns * TURN_NANOS;
        }

        @Override
        public void turn() {
            if (++turns > MAX_TURNS) {
                throw new AssertionError("the driver waits forever");
            }
            device.turn();
        }
    }

    private void run() {
        try {
            Controller controller =
                    Controller.open(
                            function, memory, new VirtualClock(), ControllerOptions.DEFAULTS);
            try {
                for (int i = 0; i < MOST_ACTIONS && !input.isEmpty(); i++) {
                    typed(() -> act(controller, input.below(ACTIONS)));
                }
                typed(this::closePort);
                typed(this::closeBuffer);
            } finally {
                controller.close();
            }
        } catch (PeerlaneException e) {
            // the expected error for a device that lies
        }
        if (!memory.leaks().isEmpty()) {
            throw new AssertionError(memory.leaks());
        }
        if (function.isBusMaster()) {
            throw new AssertionError("the function may still do DMA");
        }
    }

    private static void typed(Runnable action) {
        try {
            action.run();
        } catch (PeerlaneException e) {
            // as above
        }
    }

    private void act(Controller c, int action) {
        switch (action) {
            case 0 -> c.namespaces();
            case 1 -> open(c);
            case 2 -> submit();
            case 3 -> poll();
            case 4 -> closePort();
            case 5 -> buffer(c);
            case 6 -> closeBuffer();
            case 7 -> c.admin().identify(input.below(32), input.int32(), input.int8());
            case 8 -> c.admin().log(input.int8(), -1, (1 + input.int8()) * 4);
            case 9 -> look(c);
            case 10 -> c.admin().pollEvents();
            case 11 -> {
                closePortQuietly();
                c.reset();
            }
            case 12 -> transfer(c);
            case 13 -> abort();
            default -> {
                NvmeBlockPort p = port;
                if (p != null) {
                    p.quiesce();
                    closePort();
                }
            }
        }
    }

    private void look(Controller c) {
        c.admin().errors(1 + input.below(64));
        c.admin().smart().criticalWarning();
        c.admin().feature(input.int8(), AdminCommand.SELECT_CURRENT);
        c.admin().log(LogPage.SMART, -1, 512);
        c.admin().identify(Cns.CONTROLLER, 0, 0);
        c.cmbFields();
        c.identity().mn();
    }

    private Namespace namespace(Controller c) {
        return c.namespace(1 + input.below(3));
    }

    private void open(Controller c) {
        if (port == null) {
            port = namespace(c).port(1 + input.int8());
            slot = -1;
            inFlight = false;
        }
    }

    private void buffer(Controller c) {
        ControllerMemoryBuffer cmb = c.requireCmb();
        if (buffer == null) {
            cmb.enable(memory);
            buffer = cmb.allocate(8192, 4096);
            slot = -1;
        }
    }

    private void closeBuffer() {
        closePort(); // a buffer may be closed only when no command can access it
        PeerBuffer open = buffer;
        buffer = null;
        if (open != null) {
            open.close();
        }
    }

    private void submit() {
        NvmeBlockPort p = port;
        PeerBuffer b = buffer;
        if (p == null || b == null || inFlight) {
            return;
        }
        int block = p.limits().blockBytes();
        if (slot < 0 && block <= 8192) {
            slot = p.attach(b, 0, block, block, 1);
        }
        if (slot >= 0 && p.limits().blockCount() > 0) {
            inFlight =
                    input.flag()
                            ? p.submitRead(slot, p.limits().blockCount() - 1, 1)
                            : p.submitCompare(slot, 0, 1);
            p.ring();
        }
    }

    private void poll() {
        NvmeBlockPort p = port;
        if (p != null) {
            for (int i = 0; i < 4; i++) {
                device.turn();
                p.poll(16, done);
            }
        }
    }

    private void abort() {
        NvmeBlockPort p = port;
        if (p != null && slot >= 0) {
            p.abort(slot);
        }
    }

    private void closePort() {
        NvmeBlockPort p = port;
        port = null;
        slot = -1;
        inFlight = false;
        if (p != null) {
            p.close();
        }
    }

    private void closePortQuietly() {
        typed(this::closePort);
    }

    /** Does synchronous I/O. No buffer is accessed after the call, so it is freed at once. */
    private void transfer(Controller c) {
        Namespace namespace = namespace(c);
        namespace.checkUsable();
        try (DmaBuffer data = memory.allocate(4L * namespace.blockBytes())) {
            if (input.flag()) {
                namespace.read(data, 0, 0, Math.min(4, namespace.blockCount()));
            } else {
                namespace.write(data, 0, namespace.blockCount() - 1, 1);
            }
        }
    }
}
