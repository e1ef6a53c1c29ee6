package dev.peerlane.fabrics;

import dev.peerlane.Locator;
import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Fabric;
import dev.peerlane.qtest.QtestFabric;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * The content of a fabric file: {@code kind: emulator} with drives and their PCI tree, or {@code
 * kind: qemu} with the {@code socket} and the {@code ram} of a QEMU that is already running. Paths
 * in it are relative to the file.
 *
 * <p>Reading is strict: an unknown key is an error that names the key, its line and the allowed
 * keys.
 */
public sealed interface FabricFile {
    /** The maximum length of a file. Longer files are refused. */
    int MAX_BYTES = 1 << 20;

    /** The file name that stands for standard input. */
    String STANDARD_INPUT = "-";

    /** Returns the kind of the locators that the fabric opens. */
    Locator.Kind kind();

    /**
     * Creates the fabric or attaches to it.
     *
     * @throws PeerlaneException if the fabric can't be opened
     */
    Fabric open();

    /**
     * A fabric that this process emulates.
     *
     * @param model the fabric's description
     */
    record Emulated(FabricModel model) implements FabricFile {
        @Override
        public Locator.Kind kind() {
            return Locator.Kind.EMULATOR;
        }

        @Override
        public Fabric open() {
            return new EmulatedFabric(model);
        }
    }

    /**
     * A running QEMU.
     *
     * @param socket path of the qtest socket
     * @param ram the file that backs the guest's RAM
     */
    record Qemu(Path socket, Path ram) implements FabricFile {
        @Override
        public Locator.Kind kind() {
            return Locator.Kind.QEMU;
        }

        @Override
        public Fabric open() {
            return QtestFabric.attach(socket, ram);
        }
    }

    /**
     * Reads a fabric file. {@code -} is standard input, with paths relative to the current
     * directory.
     *
     * @throws PeerlaneException of category REQUEST if the file does not exist or is not valid
     */
    static FabricFile read(Path file) {
        if (file.toString().equals(STANDARD_INPUT)) {
            return parse("on standard input", standardInput(), Path.of("").toAbsolutePath());
        }
        String text;
        try {
            text = bounded(file);
        } catch (NoSuchFileException e) {
            throw PeerlaneException.request(
                            "no-fabric-file",
                            "fabric file " + file + " does not exist",
                            "Name an existing fabric file")
                    .with("missing", file.toString());
        } catch (IOException e) {
            throw PeerlaneException.request(
                            "no-fabric-file",
                            "fabric file " + file + " can't be read: " + e.getMessage(),
                            "Name a fabric file that is readable text in UTF-8")
                    .with("unreadable", file.toString());
        }
        Path parent = file.toAbsolutePath().getParent();
        return parse(file.toString(), text, parent == null ? file : parent);
    }

    private static String standardInput() {
        try {
            return bounded(System.in, "on standard input", "Supply a YAML file");
        } catch (IOException e) {
            throw PeerlaneException.request(
                            "no-fabric-file",
                            "the fabric file on standard input can't be read: " + e.getMessage(),
                            "Name a fabric file")
                    .with("input", STANDARD_INPUT);
        }
    }

    private static String bounded(Path file) throws IOException {
        boolean pipe = Files.readAttributes(file, BasicFileAttributes.class).isOther();
        if (pipe && !file.startsWith("/dev") && !file.startsWith("/proc")) { // not our own input
            throw new IOException("a pipe or a socket, which may never end");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return bounded(in, file.toString(), "Name a YAML");
        }
    }

    /** Reads at most the maximum length: a device reports a length of 0 and may never end. */
    private static String bounded(InputStream in, String name, String remedy) throws IOException {
        byte[] bytes = in.readNBytes(MAX_BYTES + 1);
        if (bytes.length > MAX_BYTES) {
            throw YamlReader.error(name, 1, "longer than " + MAX_BYTES + " bytes", remedy);
        }
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    }

    /**
     * Parses the text of a fabric file.
     *
     * @param name the file's name in messages
     * @param text the YAML text
     * @param base the directory for relative paths
     */
    static FabricFile parse(String name, String text, Path base) {
        YamlNode root;
        try {
            root = YamlNode.parse(text);
        } catch (YamlNode.Malformed e) {
            throw YamlReader.error(
                    name, e.line(), String.valueOf(e.getMessage()), "Write valid YAML");
        }
        YamlReader reader = YamlReader.of(name, "the document", root);
        String kind = reader.text("kind");
        return switch (kind) {
            case "emulator" -> new Emulated(new EmulatorFile(base).read(reader));
            case "qemu" -> {
                reader.allow("kind", "socket", "ram");
                yield new Qemu(
                        base.resolve(reader.text("socket")), base.resolve(reader.text("ram")));
            }
            default -> throw reader.wrong("kind", kind, "Use emulator or qemu");
        };
    }
}
