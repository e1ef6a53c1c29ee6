package dev.peerlane.bench;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.serve.Server;
import java.nio.file.Path;

/**
 * A program that serves one drive, as {@code peerlane serve} does. The drive stores nothing, or is
 * in memory if the second argument is {@code memory}.
 */
final class ServedDrive {
    /** The name of the socket in the directory. */
    static final String SOCKET = "ssd" + Server.SUFFIX;

    /** The argument for the drive in memory. */
    static final String MEMORY = "memory";

    /** The bytes of the drive in memory. */
    static final long MEDIUM = 256L << 20;

    private static final long BYTES = 64L << 30;

    private ServedDrive() {}

    public static void main(String[] args) {
        DriveModel.Builder drive = DriveModel.named("ssd").sgls(DriveModel.Sgls.BYTES);
        if (args.length > 1 && args[1].equals(MEMORY)) {
            drive.memory(MEDIUM, 512);
        } else {
            drive.namespace(NamespaceModel.discarding(BYTES, 512));
        }
        FabricModel model = FabricModel.builder().drive(drive.build()).build();
        try (Server server = Server.open(model, Path.of(args[0]), note -> {})) {
            System.out.println("ready");
            while (!Thread.currentThread().isInterrupted()) {
                if (!server.turn()) {
                    server.rest();
                }
            }
        }
    }
}
