package dev.peerlane.bench;

import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.emulator.NamespaceSpec;
import dev.peerlane.serve.Server;
import java.nio.file.Path;

/** A program that does what {@code peerlane serve} does, for one drive that keeps nothing. */
final class ServedDrive {
    /** The socket in the folder. */
    static final String SOCKET = "null" + Server.SUFFIX;

    private static final long BYTES = 64L << 30;

    private ServedDrive() {}

    public static void main(String[] args) {
        DriveSpec drive =
                DriveSpec.named("null")
                        .namespace(NamespaceSpec.discarding(BYTES, 512))
                        .sgls(DriveSpec.Sgls.BYTES)
                        .build();
        FabricSpec spec = FabricSpec.builder().drive(drive).build();
        try (Server server = Server.open(spec, Path.of(args[0]), note -> {})) {
            System.out.println("ready");
            while (!Thread.currentThread().isInterrupted()) {
                if (!server.turn()) {
                    server.rest();
                }
            }
        }
    }
}
