package dev.peerlane.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.diagnose.AcsChange;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.fuzz.Input;
import dev.peerlane.fuzz.Refusals;
import dev.peerlane.fuzz.Scratch;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.hal.parts.ForwardingFabric;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Fuzzes the files that the program keeps for its later runs: the drivers before bind, data left in
 * a CMB, the old values of ACS. Any content leads to a typed error or to something that the file
 * can mean: never to an invalid driver name or to a byte outside a CMB.
 */
public final class StateTarget {
    private static final long KIB = 1024;
    private static final int MOST_BYTES = 65_536;
    private static final String DRIVE = "0000:01:00.0";

    private StateTarget() {}

    /** Runs one input: the kind of file and its content. */
    public static void fuzzerTestOneInput(byte[] data) {
        Input input = new Input(data);
        int kind = input.below(3);
        Path folder = Scratch.shortLived("state");
        try {
            byte[] content = input.bytes(MOST_BYTES);
            switch (kind) {
                case 0 -> bound(folder, content);
                case 1 -> leftInCmb(folder, content);
                default -> acs(folder, content);
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            Scratch.remove(folder);
        }
    }

    private static void write(Path file, byte[] content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    private static void bound(Path folder, byte[] content) throws IOException {
        BindMachine machine = new BindMachine(folder);
        machine.binder().apply(machine.binder().bind(List.of(BindMachine.A), BindMachine.ALL));
        write(folder.resolve("state/bound/" + DRIVE), content);
        try {
            machine.binder().apply(machine.binder().unbind(machine.binder().bound()));
        } catch (PeerlaneException e) {
            checkWritten(machine);
            throw e;
        }
        checkWritten(machine);
    }

    private static void checkWritten(BindMachine machine) {
        for (String done : machine.drivers.done) {
            if (done.contains("..") || (!done.startsWith("load ") && done.indexOf('=') < 0)) {
                throw new AssertionError("written: " + done);
            }
        }
    }

    private static void leftInCmb(Path folder, byte[] content) throws IOException {
        DriveModel drive =
                DriveModel.named("a").memory(64 * KIB, 512).cmb(CmbModel.of(64 * KIB)).build();
        FabricModel model =
                FabricModel.builder().drive(drive).time(FabricModel.Time.VIRTUAL).build();
        try (EmulatedFabric fabric = new EmulatedFabric(model)) {
            String address = fabric.machine().nvmeFunctions().getFirst().bdf().toString();
            Path file = folder.resolve("cmb").resolve(address);
            write(file, content);
            try (Session session = Session.of(outliving(fabric, folder))) {
                session.controller("emu:a");
                if (Files.exists(file)) {
                    throw new AssertionError("what is overwritten is named still");
                }
            }
        }
    }

    /** Returns a fabric whose drives outlive this process. */
    private static Fabric outliving(Fabric fabric, Path state) {
        return new ForwardingFabric(fabric) {
            @Override
            public FabricTraits traits() {
                return new FabricTraits(state, null);
            }
        };
    }

    private static void acs(Path folder, byte[] content) throws IOException {
        Path file = folder.resolve("acs.txt");
        write(file, content);
        AcsChange change = AcsChange.load(file);
        for (AcsChange.Bridge bridge : change.bridges()) {
            if (bridge.undoLine().isBlank()) {
                throw new AssertionError("nothing undoes " + bridge);
            }
        }
        change.restore(folder);
    }
}
