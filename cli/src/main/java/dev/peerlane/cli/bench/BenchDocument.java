package dev.peerlane.cli.bench;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.diagnose.Host;
import dev.peerlane.measure.Bench;
import dev.peerlane.measure.Figure;
import dev.peerlane.measure.LoadResult;
import dev.peerlane.measure.LoadWay;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Cpu;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The JSON document of {@code bench}; its component names are the field names.
 *
 * @param schema the name of this document format
 * @param result {@code ok}, {@code void} if a figure is void, {@code interrupted} or {@code failed}
 * @param peerlane the version of Peerlane
 * @param machine the machine that ran the bench
 * @param fabric the fabric of the devices
 * @param devices the devices
 * @param cells the figures, in the order in which they were measured
 * @param notes remarks for the reader
 * @param error the reason for ending early, or null
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

    /** Returns the name of a memory from its owner; null means host memory. */
    static String memory(@Nullable String owner) {
        return owner == null ? HOST : owner;
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
            List<String> iommus) {
        static MachineFacts of(SystemFiles files) {
            Host host = Host.read(files);
            Cpu cpu = host.cpu();
            return new MachineFacts(
                    cpu == null ? "unknown" : cpu.name(),
                    Runtime.getRuntime().availableProcessors(),
                    host.product(),
                    System.getProperty("os.name") + " " + host.release(),
                    System.getProperty("java.vm.name")
                            + " "
                            + System.getProperty("java.vm.version"),
                    host.iommus());
        }
    }

    /**
     * The fabric.
     *
     * @param kind emulator, qemu, vfio or vfio-user
     * @param emulated whether software emulates the devices, so that figures measure software
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
            @Nullable String cmbAddress) {
        static DeviceFacts of(Bench.Participant p, Machine machine) {
            Controller controller = p.controller();
            Bdf bdf = controller.device().bdf();
            Link link = machine.function(bdf).map(PciFunction::link).orElse(null);
            Namespace namespace = p.namespace();
            ControllerMemoryBuffer cmb = p.memory();
            return new DeviceFacts(
                    p.name(),
                    bdf.toString(),
                    controller.identity().mn(),
                    controller.identity().sn(),
                    controller.identity().fr(),
                    link == null ? null : link.toString(),
                    namespace == null ? 0 : namespace.blockBytes(),
                    controller.maxTransferBytes(),
                    cmb == null ? 0 : cmb.sizeBytes(),
                    cmb == null ? null : "0x%x".formatted(cmb.busAddress()));
        }
    }

    /**
     * One figure.
     *
     * @param group the matrix, the copies, or a sweep
     * @param initiator the device that does the DMA; for a copy, its source
     * @param namespace the namespace whose blocks are used; for a copy, its target
     * @param memory the owner of the memory; {@code host} for host memory
     * @param direction {@code write} into the memory, {@code read} from it, or {@code copy} through
     *     it
     * @param command Read, Compare or Write; for a copy, Read and Write
     * @param address the bus address of the memory, or null if none was allocated
     * @param route the verdict on the route
     * @param outcome {@code measured}, {@code void} or {@code skipped}
     * @param reason why the figure is skipped or void, or null
     * @param bytesPerSecond the rate; null unless measured, like all following fields. A copy has
     *     no latencies
     * @param compilerSeconds for a load, {@link LoadResult#compilerSeconds}
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

        static Cell of(Figure figure) {
            return switch (figure) {
                case Figure.OfLoad load -> of(load);
                case Figure.OfCopies copies -> of(copies);
            };
        }

        private static Cell of(Figure.OfLoad load) {
            LoadWay way = load.way();
            LoadResult r = load.result();
            LoadResult good = r != null && r.voidReason().isEmpty() ? r : null;
            return new Cell(
                    load.group().name().toLowerCase(Locale.ROOT),
                    way.initiator(),
                    way.namespace().name(),
                    BenchDocument.memory(way.owner()),
                    way.command().direction().word(),
                    way.command().words(),
                    r == null ? null : "0x%x".formatted(r.address()),
                    way.route(),
                    load.chunkBytes(),
                    load.depth(),
                    r == null ? "skipped" : good == null ? "void" : "measured",
                    r == null ? words(load.skipped()) : good == null ? r.voidReason() : null,
                    r == null ? 0 : r.canaries(),
                    good == null ? null : good.bytesPerSecond(),
                    good == null ? null : good.commands() / good.seconds(),
                    good == null ? null : Latency.of(good.latencies()),
                    good == null ? null : good.cpuSecondsPerGib(),
                    good == null ? null : good.compilerSeconds(),
                    good == null ? null : good.seconds());
        }

        private static @Nullable String words(Figure.@Nullable Skipped skipped) {
            if (skipped == null) {
                return null;
            }
            return skipped.obstacle() == Figure.Obstacle.ROUTE
                    ? skipped.words() + ": --any-route measures it anyway"
                    : skipped.words();
        }

        private static Cell of(Figure.OfCopies copies) {
            Receipt receipt = copies.last();
            Receipt.Buffer buffer = receipt == null ? null : receipt.buffer();
            PeerlaneException failure = copies.failure();
            boolean moved = failure != null && failure.category() == PeerlaneException.Category.IO;
            boolean measured = copies.isMeasured();
            Figure.Sum sum = copies.sum();
            return new Cell(
                    COPIES,
                    copies.source().device().locator(),
                    copies.target().name(),
                    memory(copies.by(), buffer),
                    "copy",
                    "Read, Write",
                    buffer == null ? null : buffer.address(),
                    buffer == null ? "" : buffer.kind(),
                    receipt == null ? 0 : receipt.chunkBytes(),
                    receipt == null ? 0 : receipt.slots(),
                    measured ? "measured" : moved ? "void" : "skipped",
                    failure == null ? null : failure.getMessage(),
                    0,
                    measured ? sum.bytes() / sum.seconds() : null,
                    null,
                    null,
                    measured ? sum.cpuSeconds() * (1L << 30) / sum.bytes() : null,
                    null,
                    measured ? sum.seconds() : null);
        }

        private static String memory(BufferChoice by, Receipt.@Nullable Buffer buffer) {
            if (buffer == null || buffer.device() == null) {
                return by.kind() == null ? "peer" : HOST;
            }
            return buffer.device();
        }
    }

    /** Latencies of commands in microseconds, also at further percentiles. */
    record Latency(
            double mean,
            double min,
            double p50,
            double p90,
            double p99,
            double p999,
            double max,
            List<Percentile> percentiles) {
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
                            .map(p -> new Percentile(p.percentile(), p.nanos() / 1e3))
                            .toList());
        }
    }

    /** This percentage of commands took at most this long. */
    record Percentile(double percentile, double micros) {}
}
