package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.diagnose.Capture;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.lab.guest.P2pmem;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares our verdicts with Linux's, in a fresh guest for each topology, since Linux judges a pair
 * once and caches the answer. For each pair and direction three things must agree: the verdict
 * computed from a capture of the guest, what the kernel does with p2pmem I/O and logs, and the
 * resulting data.
 */
@Tag("kernel")
class KernelVerdictsTest {
    private static final Path CAPTURES =
            Path.of("..", "cli", "src", "test", "resources", "dev", "peerlane", "cli", "captures");

    /** EINVAL or EREMOTEIO, the errors for a transfer that p2pdma does not map. */
    private static final Pattern TOLD =
            Pattern.compile(
                    "(\\w+)>(\\w+):write=(ok|refused\\((?:22|121)\\)),"
                            + "read=(ok|refused\\((?:22|121)\\))");

    private static final Pattern REDIRECTED =
            Pattern.compile("nvme (\\S+): ACS redirect is set.*provider \\((\\S+)\\)");
    private static final Pattern REFUSED =
            Pattern.compile("nvme (\\S+): cannot be used for peer-to-peer.*provider \\((\\S+)\\)");
    private static final Pattern PORTS = Pattern.compile("nvme (\\S+):.*disable_acs_redir=(\\S+)");

    @TempDir private Path folder;

    /** The IOMMU between devices and memory. */
    private enum Iommu {
        OFF,
        PASS_THROUGH,
        TRANSLATING;

        Guest in(Guest guest) {
            return switch (this) {
                case OFF -> guest;
                case PASS_THROUGH -> guest.iommu(48).kernelArgument("iommu=pt");
                case TRANSLATING -> guest.iommu(48).kernelArgument("iommu.passthrough=0");
            };
        }
    }

    /** A machine topology, named like its capture. */
    private record Shape(String name, String processor, Iommu iommu, Consumer<Guest> drives) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Drive ssd(String name) {
        return Drive.named(name).cmbMib(4);
    }

    /** Adds two drives below one switch and one beside it. */
    private static void oneSwitch(Guest guest) {
        guest.drive(ssd("ssd0").behindSwitch("sw"));
        guest.drive(ssd("ssd1").behindSwitch("sw"));
        guest.drive(ssd("ssd2"));
    }

    /** Adds two switches below a third, with a drive below each. */
    private static void cascade(Guest guest) {
        guest.drive(ssd("ssd0").behindSwitch("left", "top"));
        guest.drive(ssd("ssd1").behindSwitch("right", "top"));
        guest.drive(ssd("ssd2").behindSwitch("top"));
    }

    private static void rootPorts(Guest guest) {
        guest.drive(ssd("ssd0"));
        guest.drive(ssd("ssd1").withoutAcs());
    }

    private static void hostBridges(Guest guest) {
        guest.drive(ssd("ssd0"));
        guest.drive(ssd("ssd1").onHostBridge(128));
    }

    /** Adds two functions of one device, whose shared bridge is a root port with ACS. */
    private static void functions(Guest guest) {
        guest.drive(ssd("ssd0").functionBelow("port"));
        guest.drive(ssd("ssd1").functionBelow("port"));
    }

    private static Stream<Shape> shapes() {
        Map<String, Consumer<Guest>> onIntel = new HashMap<>();
        onIntel.put("switch", KernelVerdictsTest::oneSwitch);
        onIntel.put("cascade", KernelVerdictsTest::cascade);
        onIntel.put("roots", KernelVerdictsTest::rootPorts);
        onIntel.put("hosts", KernelVerdictsTest::hostBridges);
        onIntel.put("functions", KernelVerdictsTest::functions);
        List<Shape> shapes = new ArrayList<>();
        for (Iommu iommu : Iommu.values()) {
            String suffix =
                    switch (iommu) {
                        case OFF -> "";
                        case PASS_THROUGH -> "-pt";
                        case TRANSLATING -> "-iommu";
                    };
            onIntel.forEach(
                    (name, drives) -> shapes.add(new Shape(name + suffix, "max", iommu, drives)));
            for (String name : List.of("switch", "roots", "functions")) {
                String full = name + "-epyc" + suffix;
                shapes.add(new Shape(full, "EPYC", iommu, onIntel.getOrDefault(name, g -> {})));
            }
        }
        String wanted = System.getProperty("peerlane.shapes", ".*");
        return shapes.stream()
                .filter(each -> each.name().matches(wanted))
                .sorted(Comparator.comparing(Shape::name));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void linuxSaysWhatTheVerdictSays(Shape shape) throws IOException {
        Guest guest = Guest.named("kernel-" + shape.name()).kernel(KernelSource.SID);
        shape.iommu().in(guest).processor(shape.processor()).limit(Duration.ofMinutes(6));
        shape.drives().accept(guest);
        guest.prepare(KernelVerdictsTest::fill)
                .step("run_java dev.peerlane.cli.Main capture /tmp/machine.zip")
                .step("deliver machine /tmp/machine.zip")
                .tests("p2pmem")
                .step("dmesg >/tmp/log; deliver log /tmp/log; deliver functions /tmp/functions");
        try (GuestRun run = guest.run()) {
            Path capture = Files.write(folder.resolve("machine.zip"), run.file("machine"));
            Path kept = CAPTURES.resolve(shape.name() + ".zip");
            if ("write".equals(System.getProperty("peerlane.captures")) && Files.exists(kept)) {
                Files.write(kept, run.file("machine"));
            }
            Machine machine = Snapshot.of(Capture.open(capture)).machine();
            new Comparison(shape, run, machine, new String(run.file("log"), UTF_8)).all();
        }
    }

    private static void fill(String drive, Path image) throws IOException {
        Data.write(image, P2pmem.DATA, Data.random(drive.hashCode(), P2pmem.BYTES));
        Data.write(image, P2pmem.OTHER, Data.random(drive.hashCode() + 1000, P2pmem.BYTES));
    }

    /** Compares one run with the verdicts. */
    private static final class Comparison {
        private final Shape shape;
        private final GuestRun run;
        private final Machine machine;
        private final String log;
        private final Map<String, Bdf> functions = new HashMap<>();

        Comparison(Shape shape, GuestRun run, Machine machine, String log) {
            this.shape = shape;
            this.run = run;
            this.machine = machine;
            this.log = log;
            for (String line : new String(run.file("functions"), UTF_8).split("\n", -1)) {
                String[] words = line.split(" ", -1);
                if (words.length == 2) {
                    functions.put(words[0], Bdf.parse(words[1]));
                }
            }
        }

        private Bdf bdf(String serial) {
            return functions.getOrDefault(serial, new Bdf(0, 0, 0, 0));
        }

        void all() throws IOException {
            List<String> serials = functions.keySet().stream().sorted().toList();
            Matcher told = TOLD.matcher(run.passed("p2pmem"));
            int pairs = 0;
            while (told.find()) {
                int client = serials.indexOf(told.group(1));
                int owner = serials.indexOf(told.group(2));
                pair(serials, client, owner, told.group(3), told.group(4));
                pairs++;
            }
            assertThat(pairs).isEqualTo(serials.size() * (serials.size() - 1));
        }

        private void pair(List<String> serials, int client, int owner, String write, String read)
                throws IOException {
            Bdf from = bdf(serials.get(client));
            Bdf to = bdf(serials.get(owner));
            Route route = Route.between(machine, from, to);
            String name =
                    "%s: %s to the memory of %s: we say %s, %s; Linux says write %s, read %s"
                            .formatted(
                                    shape,
                                    from,
                                    to,
                                    route.peerWrites(),
                                    route.reason(),
                                    write,
                                    read);
            System.out.println(name);
            boolean allowed = write.equals("ok");
            assertThat(read.equals("ok")).as(name).isEqualTo(allowed);
            assertThat(allowed).as(name).isEqualTo(route.kernelAllows());
            log(route, name);
            if (!allowed) {
                return;
            }
            // The only exception: for a direct route, Linux uses bus addresses, as hardware needs.
            // QEMU's switches don't route them, so the IOMMU sees and refuses them.
            boolean right =
                    shape.iommu() != Iommu.TRANSLATING || route.peerWrites() != Verdict.DIRECT;
            assertThat(arrived(serials, client, owner, true)).as(name).isEqualTo(right);
            assertThat(arrived(serials, client, owner, false)).as(name).isEqualTo(right);
        }

        private boolean arrived(List<String> serials, int client, int owner, boolean write)
                throws IOException {
            long at = P2pmem.resultAt(client, owner, write);
            String result = serials.get(write ? owner : client);
            String source = serials.get(write ? client : owner);
            byte[] wanted = Data.read(run.image(source), P2pmem.DATA, P2pmem.BYTES);
            return Arrays.equals(wanted, Data.read(run.image(result), at, P2pmem.BYTES));
        }

        /** Checks the log. Linux logs refusals and redirects, but not what it allows. */
        private void log(Route route, String name) {
            assertThat(has(REFUSED, route)).as(name).isEqualTo(!route.kernelAllows());
            assertThat(has(REDIRECTED, route)).as(name).isEqualTo(!route.redirecting().isEmpty());
            if (!route.redirecting().isEmpty()) {
                TreeSet<String> ports = new TreeSet<>();
                for (PciFunction each : route.redirecting()) {
                    ports.add(each.bdf().toString());
                }
                Stream<TreeSet<String>> named =
                        PORTS.matcher(log)
                                .results()
                                .filter(m -> m.group(1).equals(route.initiator().toString()))
                                .map(m -> new TreeSet<>(List.of(m.group(2).split(";", -1))));
                assertThat(named).as(name).contains(ports);
            }
        }

        private boolean has(Pattern message, Route route) {
            return message.matcher(log)
                    .results()
                    .anyMatch(m ->
                            m.group(1).equals(route.initiator().toString())
                                    && m.group(2).equals(route.owner().toString()));
        }
    }
}
