package dev.peerlane.cli.bench;

import dev.peerlane.copy.Receipt;
import dev.peerlane.measure.LoadResult;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code bench} measured: the names of its components are those of the JSON document.
 *
 * @param schema names this form of document
 * @param result {@code ok}, {@code void} if a figure was, {@code interrupted} or {@code failed}
 * @param peerlane the version
 * @param machine where it ran
 * @param fabric what the devices are in
 * @param devices the devices
 * @param cells the figures, in the order in which they were measured
 * @param notes what the reader must know
 * @param error why it ended early, or null
 */
record BenchDocument(
        String schema,
        String result,
        String peerlane,
        MachineFacts machine,
        FabricFacts fabric,
        List<DeviceFacts> devices,
        List<Cell> cells,
        List<String> notes,
        Receipt.@Nullable Failure error) {
    static final String SCHEMA = "peerlane.bench/1";
    static final String HOST = "host";

    static final String MATRIX = "matrix";
    static final String SIZES = "sizes";
    static final String DEPTHS = "depths";
    static final String COPIES = "copies";

    BenchDocument {
        devices = List.copyOf(devices);
        cells = List.copyOf(cells);
        notes = List.copyOf(notes);
    }

    List<Cell> of(String group) {
        return cells.stream().filter(c -> c.group().equals(group)).toList();
    }

    /** The machine that the program ran on. */
    record MachineFacts(
            String cpu,
            int processors,
            @Nullable String product,
            String kernel,
            String jdk,
            List<String> iommus) {}

    /**
     * The fabric.
     *
     * @param kind emulator, qemu, vfio or vfio-user
     * @param emulated whether its figures are those of software
     */
    record FabricFacts(String kind, boolean emulated) {}

    /** One device. */
    record DeviceFacts(
            String locator,
            String bdf,
            String model,
            String serial,
            String firmware,
            @Nullable String link,
            int blockBytes,
            int maxTransferBytes,
            long cmbBytes,
            @Nullable String cmbAddress) {}

    /**
     * One figure.
     *
     * @param group the matrix, the copies, or the sweep that it is of
     * @param initiator who does the DMA; of a copy, its source
     * @param namespace whose blocks it uses; of a copy, its target
     * @param memory whose memory it is; {@code host} for host memory
     * @param direction {@code write} into the memory, {@code read} from it, or {@code copy} by way
     *     of it
     * @param command Read, Compare or Write; both of a copy
     * @param address of the memory on the bus, or null if it was not taken
     * @param route the verdict on the way
     * @param outcome {@code measured}, {@code void} or {@code skipped}
     * @param reason why it was not measured or says nothing, or null
     * @param bytesPerSecond null unless measured, as is all that follows; a copy has no latencies
     * @param compilerSeconds of a load: {@link LoadResult#compilerSeconds}
     */
    record Cell(
            String group,
            String initiator,
            String namespace,
            String memory,
            String direction,
            String command,
            @Nullable String address,
            String route,
            int chunkBytes,
            int depth,
            String outcome,
            @Nullable String reason,
            int canaries,
            @Nullable Double bytesPerSecond,
            @Nullable Double iops,
            @Nullable Latency latencyMicros,
            @Nullable Double cpuSecondsPerGib,
            @Nullable Double compilerSeconds,
            @Nullable Double seconds) {

        boolean measured() {
            return outcome.equals("measured");
        }

        boolean isVoid() {
            return outcome.equals("void");
        }

        Cell skipped(String why) {
            return new Cell(
                    group,
                    initiator,
                    namespace,
                    memory,
                    direction,
                    command,
                    null,
                    route,
                    chunkBytes,
                    depth,
                    "skipped",
                    why,
                    0,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null);
        }

        Cell with(LoadResult r) {
            String at = "0x%x".formatted(r.address());
            if (!r.voidReason().isEmpty()) {
                return new Cell(
                        group,
                        initiator,
                        namespace,
                        memory,
                        direction,
                        command,
                        at,
                        route,
                        chunkBytes,
                        depth,
                        "void",
                        r.voidReason(),
                        r.canaries(),
                        null,
                        null,
                        null,
                        null,
                        null,
                        null);
            }
            return new Cell(
                    group,
                    initiator,
                    namespace,
                    memory,
                    direction,
                    command,
                    at,
                    route,
                    chunkBytes,
                    depth,
                    "measured",
                    null,
                    r.canaries(),
                    r.bytesPerSecond(),
                    r.commands() / r.seconds(),
                    Latency.of(r.latencies()),
                    r.cpuSecondsPerGib(),
                    r.compilerSeconds(),
                    r.seconds());
        }
    }

    /** Times of commands in microseconds, and the same at more percentiles. */
    record Latency(
            double mean,
            double min,
            double p50,
            double p90,
            double p99,
            double p999,
            double max,
            List<Point> percentiles) {
        static Latency of(LoadResult.Latencies l) {
            return new Latency(
                    l.mean() / 1e3,
                    l.at(0) / 1e3,
                    l.at(50) / 1e3,
                    l.at(90) / 1e3,
                    l.at(99) / 1e3,
                    l.at(99.9) / 1e3,
                    l.at(100) / 1e3,
                    l.points().stream()
                            .map(p -> new Point(p.percentile(), p.nanos() / 1e3))
                            .toList());
        }
    }

    /** As many percent took this long at most. */
    record Point(double percentile, double micros) {}
}
