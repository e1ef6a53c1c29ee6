package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.peerlane.Extent;
import dev.peerlane.KeptLog;
import dev.peerlane.Session;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a flight recording and the log have of copies, commands and controllers. */
class FlightRecordingTest {
    private static final int SIZE = 1 << 20;

    @TempDir Path folder;

    private static FabricModel.Builder drives() {
        FabricModel.Builder fabric = FabricModel.builder().time(FabricModel.Time.VIRTUAL).seed(5);
        for (String name : List.of("a", "b")) {
            fabric.drive(DriveModel.named(name).memory(SIZE, 512).cmb(CmbModel.of(SIZE)).build());
        }
        return fabric;
    }

    /** Copies drive a to drive b and returns the library's events. */
    private List<RecordedEvent> events(FabricModel fabric, boolean fails) throws IOException {
        Path file = folder.resolve("copy.jfr");
        try (Recording recording = new Recording()) {
            recording.start();
            try (Session session = Session.of(new EmulatedFabric(fabric))) {
                Throwable thrown =
                        catchThrowable(() ->
                                session.copy(
                                        Extent.of("emu:a"),
                                        Extent.of("emu:b"),
                                        CopyOptions.DEFAULTS.withSeed(1)));
                assertThat(thrown != null).isEqualTo(fails);
            }
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().startsWith("dev.peerlane."))
                .toList();
    }

    @Test
    void aCopyIsOneEventFromItsBeginToItsEnd() throws IOException {
        List<RecordedEvent> events = events(drives().build(), false);
        assertThat(events)
                .filteredOn(e -> e.getEventType().getName().equals("dev.peerlane.Copy"))
                .singleElement()
                .satisfies(e -> {
                    assertThat(e.getString("source")).isEqualTo("emu:a/n1");
                    assertThat(e.getString("target")).isEqualTo("emu:b/n1");
                    assertThat(e.getString("memory")).isEqualTo("target-cmb");
                    assertThat(e.getString("fence")).isEqualTo("sentinel");
                    assertThat(e.getString("verify")).isEqualTo("target-compare");
                    assertThat(e.getLong("bytesCopied")).isEqualTo(SIZE);
                    assertThat(e.getString("result")).isEqualTo("ok");
                    assertThat(e.getString("error")).isNull();
                    assertThat(e.getDuration()).isPositive();
                });
        assertThat(events)
                .as("control Compares of the verification differ on purpose")
                .filteredOn(e -> !e.getEventType().getName().equals("dev.peerlane.Copy"))
                .allMatch(e -> e.getInt("code") == Status.COMPARE_FAILURE);
    }

    @Test
    void aCommandThatFailsIsAnEventWithItsStatusInWords() throws IOException {
        FabricModel fabric =
                drives().fault(
                                Fault.at(Fault.Kind.STATUS, "a")
                                        .onIo(NvmOpcode.READ)
                                        .withStatus(
                                                Status.UNRECOVERED_READ_ERROR | Status.DO_NOT_RETRY)
                                        .withOccasion(1))
                        .build();
        List<RecordedEvent> events = events(fabric, true);
        assertThat(events)
                .anySatisfy(e -> {
                    assertThat(e.getEventType().getName()).isEqualTo("dev.peerlane.CommandError");
                    assertThat(e.getString("locator")).isEqualTo("emu:a");
                    assertThat(e.getInt("code")).isEqualTo(Status.UNRECOVERED_READ_ERROR);
                    assertThat(e.getBoolean("doNotRetry")).isTrue();
                    assertThat(e.getString("meaning")).contains("Unrecovered Read Error");
                })
                .anySatisfy(e -> {
                    assertThat(e.getEventType().getName()).isEqualTo("dev.peerlane.Copy");
                    assertThat(e.getString("result")).isEqualTo("failed");
                    assertThat(e.getString("error")).isNotEmpty();
                });
    }

    @Test
    void aControllerThatFailsIsOneEventAndOneWarning() throws IOException {
        KeptLog.clear();
        FabricModel fabric =
                drives().fault(Fault.at(Fault.Kind.FATAL, "b").withOccasion(3)).build();
        List<RecordedEvent> events = events(fabric, true);
        assertThat(events)
                .filteredOn(e -> e.getEventType().getName().equals("dev.peerlane.ControllerFault"))
                .singleElement()
                .satisfies(e -> {
                    assertThat(e.getString("locator")).isEqualTo("emu:b");
                    assertThat(e.getString("code")).isEqualTo("controller-fatal");
                    assertThat(e.getString("message")).contains("CSTS");
                });
        assertThat(KeptLog.lines())
                .filteredOn(line -> line.startsWith("WARNING"))
                .singleElement()
                .asString()
                .contains("dev.peerlane.nvme", "emu:b", "CSTS");
    }
}
