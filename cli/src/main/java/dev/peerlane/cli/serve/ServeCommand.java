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

/** The command {@code serve}: offers emulated drives to other processes. */
@Command(
        name = "serve",
        description = {
            "Emulates SSDs and serves each to other processes over a vfio-user socket, until"
                    + " interrupted. Prints the names of the devices when they are ready.",
            ""
        },
        footer = {
            "",
            "A drive serves one client at a time. The CMB of one drive can be mapped into"
                    + " another, so a copy goes from drive to drive. Without --fabric, the"
                    + " drives are ssd0 and ssd1 with 1 GiB of memory each. The socket of a"
                    + " drive is FOLDER/NAME.sock, and also FOLDER/NAME/cntrl for clients that"
                    + " expect that name, such as SPDK.",
            "",
            "Examples:",
            "  In one terminal, then in another:",
            "    mkdir /tmp/ssds && peerlane serve /tmp/ssds",
            "    peerlane copy vfio-user:/tmp/ssds/ssd0.sock@0+2048 \\",
            "      vfio-user:/tmp/ssds/ssd1.sock@0+2048 --yes",
            ""
        })
public final class ServeCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(paramLabel = "FOLDER", description = "An existing directory for the sockets.")
    private @Nullable Path folder;

    @Option(
            names = "--fabric",
            paramLabel = "FILE",
            description =
                    "A YAML file of kind emulator that describes the drives; its ports are"
                            + " ignored.")
    private @Nullable Path file;

    public ServeCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Path where = folder;
        if (where == null || !Files.isDirectory(where)) {
            throw PeerlaneException.request(
                    "no-folder", where + " is not a directory", "Create it, or name another one");
        }
        Terminal terminal = context.terminal();
        Interruption interruption = context.interruption();
        interruption.stopsBy("clients are disconnected, and the sockets are removed");
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
                return 0; // the names were not printed; the end of the program reports why
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
