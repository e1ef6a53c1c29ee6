package dev.peerlane.cli.serve;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.fabrics.FabricFile;
import dev.peerlane.serve.Server;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code serve}: emulated drives for other processes. */
@Command(
        name = "serve",
        description = {
            "Makes emulated SSDs and offers each to other processes by a vfio-user socket, until it"
                    + " is interrupted. Prints the devices' names when they are there.",
            ""
        },
        footer = {
            "",
            "One client at a time can use a drive; the CMB of one can be mapped into another, so"
                    + " that a copy goes from drive to drive. Without --fabric, the drives are"
                    + " ssd0 and ssd1 of 1 GiB of memory each. A drive's socket is FOLDER/NAME.sock,"
                    + " and FOLDER/NAME/cntrl for clients that want it so, as SPDK's do.",
            "",
            "Examples:",
            "  In one terminal, and then in another:",
            "    mkdir /tmp/ssds && peerlane serve /tmp/ssds",
            "    peerlane copy vfio-user:/tmp/ssds/ssd0.sock@0+2048 \\",
            "      vfio-user:/tmp/ssds/ssd1.sock@0+2048 --yes",
            ""
        })
public final class ServeCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(paramLabel = "FOLDER", description = "Where the sockets go; it exists.")
    private @Nullable Path folder;

    @Option(
            names = "--fabric",
            paramLabel = "FILE",
            description = "The drives, a YAML file of kind emulator; its ports don't matter.")
    private @Nullable Path file;

    public ServeCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Path where = folder;
        if (where == null || !Files.isDirectory(where)) {
            throw PeerlaneException.request(
                    "no-folder", where + " is no folder", "Make it, or name another one");
        }
        Terminal terminal = context.terminal();
        Interruption interruption = context.interruption();
        interruption.stopsBy("clients are sent away, and the sockets are removed");
        interruption.leaves("the sockets in %s stay until the next serve".formatted(where));
        CancelFlag stop = interruption.flag();
        try (Server server =
                Server.open(
                        model(),
                        where,
                        note -> {
                            terminal.err().println(note);
                            terminal.err().flush();
                        })) {
            server.sockets()
                    .forEach(path -> terminal.out().println(VfioUserFabric.LOCATOR_PREFIX + path));
            if (terminal.out().checkError()) {
                return 0; // nobody knows the names; the end of the program says why
            }
            terminal.say("Data moves " + server.transfersText());
            while (!stop.isCancelled()) {
                if (!server.turn()) {
                    server.rest();
                }
            }
        }
        return 0;
    }

    private FabricModel model() {
        if (file == null) {
            return FabricModel.standard();
        }
        if (FabricFile.read(file) instanceof FabricFile.Emulated emulated) {
            return emulated.model();
        }
        throw PeerlaneException.request(
                "not-served",
                file + " describes no emulated drives",
                "Name a file with kind: emulator");
    }
}
