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
 * What a fabric file says: {@code kind: emulator} with drives and the tree they hang in, or {@code
 * kind: qemu} with the {@code socket} and the {@code ram} of a QEMU that is already running. Paths
 * in it are relative to the file.
 *
 * <p>Read strictly: an unknown key is an error that names it, its line, and the keys there are.
 */
public sealed interface FabricFile {
    /** Longer files are refused. */
    int MAX_BYTES = 1 << 20;

    /** The name of a file that stands for standard input. */
    String STANDARD_INPUT = "-";

    /** Returns which kind of locators it serves. */
    Locator.Kind kind();

    /**
     * Makes or attaches the fabric.
     *
     * @throws PeerlaneException if it can't be opened
     */
    Fabric open();

    /**
     * A fabric in this process.
     *
     * @param model what is in it
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
     * @param socket its qtest socket
     * @param ram the file that backs its RAM
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
     * Reads a fabric file; {@code -} is standard input, where relative paths begin at the current
     * folder.
     *
     * @throws PeerlaneException of category REQUEST if it is not there or not right
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
            return bounded(System.in, "on standard input", "Hand over a YAML file");
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

    /** Reads as much as a fabric file may have: a device tells a length of 0 and never ends. */
    private static String bounded(InputStream in, String name, String remedy) throws IOException {
        byte[] bytes = in.readNBytes(MAX_BYTES + 1);
        if (bytes.length > MAX_BYTES) {
            throw YamlReader.error(name, 1, "longer than " + MAX_BYTES + " bytes", remedy);
        }
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    }

    /**
     * Reads the text of a fabric file.
     *
     * @param name what messages call it
     * @param text the YAML
     * @param base where relative paths in it begin
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
