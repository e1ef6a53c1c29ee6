package dev.peerlane.cli.shared;

import dev.peerlane.cli.terminal.Table;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Prints the version of Peerlane and the platform it runs on. */
public final class ProgramVersion {
    private static final String RESOURCE = "version.properties";

    /** How much to print. */
    public enum About {
        /** The version number. */
        NUMBER,
        /** Also the platform and the backends. */
        PLATFORM
    }

    private ProgramVersion() {}

    public static String number() {
        Properties properties = new Properties();
        try (InputStream in = ProgramVersion.class.getResourceAsStream(RESOURCE)) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version", "unknown");
    }

    public static void print(PrintWriter out, About detail) {
        out.println("peerlane " + number());
        if (detail == About.PLATFORM) {
            new Table()
                    .row("java", property("java.vm.name") + " " + property("java.vm.version"))
                    .row(
                            "system",
                            "%s %s, %s, %d processors"
                                    .formatted(
                                            property("os.name"),
                                            property("os.version"),
                                            property("os.arch"),
                                            Runtime.getRuntime().availableProcessors()))
                    .row("emulator", "emu: devices, built in or from --fabric")
                    .row("qemu", "qemu: devices of a running QEMU over qtest, from --fabric")
                    .row(
                            "vfio",
                            "functions of this machine that are bound to vfio-pci; /dev/iommu"
                                    + " (iommufd) is tested only against a fake kernel")
                    .row("vfio-user", "vfio-user: sockets; tested with peerlane serve")
                    .print(out, "  ");
        }
        out.flush();
    }

    private static String property(String name) {
        return System.getProperty(name, "unknown");
    }
}
