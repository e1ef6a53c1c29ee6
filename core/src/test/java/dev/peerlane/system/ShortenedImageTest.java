package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Somebody makes an image shorter while a copy reads or writes it. */
class ShortenedImageTest {
    private static final int SIZE = 4 << 20;

    @TempDir private Path folder;

    private static void shorten(Path image, long bytes) {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"a, 0", "b, 0", "a, 2097152", "b, 2097152", "b, 512"})
    void copyEndsWithTheStatusOfADriveThatFailsAndNothingIsMadeUp(String name, long bytes)
            throws IOException {
        byte[] content = new byte[SIZE];
        new SplittableRandom(43).nextBytes(content);
        Path image = folder.resolve(name);
        FabricModel.Builder model = FabricModel.builder();
        for (String drive : new String[] {"a", "b"}) {
            Path of = Files.write(folder.resolve(drive), content);
            model.drive(
                    DriveModel.named(drive)
                            .namespace(NamespaceModel.image(of, 512))
                            .cmb(CmbModel.of(256 << 10))
                            .build());
        }
        try (Session session = Session.of(new EmulatedFabric(model.build()))) {
            CopyPlan plan =
                    session.plan(
                            Extent.parse("emu:a"), Extent.parse("emu:b"), CopyOptions.DEFAULTS);
            CopyException e =
                    catchThrowableOfType(
                            CopyException.class,
                            () ->
                                    session.run(
                                            plan,
                                            new CancelFlag(),
                                            (phase, done, total) -> shorten(image, bytes)));
            assertThat(e).as("it ends").isNotNull();
            assertThat(e.code()).isEqualTo(name.equals("a") ? "read-failed" : "write-failed");
            assertThat(e.getMessage()).contains("emu:" + name);
            assertThat(e.receipt().result()).isEqualTo("failed");
        }
        assertThat(Files.size(image)).as("not made long again").isEqualTo(bytes);
    }
}
