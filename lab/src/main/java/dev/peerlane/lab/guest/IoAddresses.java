package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;

import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Fabric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Compares the device addresses of host memory with what Linux reports about the machine. */
final class IoAddresses {
    private static final int BUFFERS = 24;
    private static final int BYTES = 4 << 20;

    private IoAddresses() {}

    private record Span(long first, long last, String owner) {}

    /** Expects addresses that no BAR and no bridge decodes and that no IOMMU group reserves. */
    static String areFree(String... serials) throws IOException {
        List<Span> taken = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/sys/bus/pci/devices"))) {
            for (Path function : all.toList()) {
                read(function.resolve("resource"), taken);
            }
        }
        int decoded = taken.size();
        for (String serial : serials) {
            read(Ssds.sysfs(serial).resolve("iommu_group/reserved_regions"), taken);
        }
        check(decoded > 0 && taken.size() > decoded, decoded + " of " + taken.size());
        long lowest = Long.MAX_VALUE;
        long highest = 0;
        try (Fabric fabric = Ssds.fabric(serials)) {
            for (int i = 0; i < BUFFERS; i++) {
                DmaBuffer buffer = fabric.dma().allocate(BYTES);
                long first = buffer.busAddress();
                long last = first + buffer.sizeBytes() - 1;
                for (Span span : taken) {
                    check(
                            last < span.first || first > span.last,
                            "%x is in %s".formatted(first, span));
                }
                lowest = Math.min(lowest, first);
                highest = Math.max(highest, last);
            }
        }
        return "%x to %x, outside %d spans".formatted(lowest, highest, taken.size());
    }

    /** Reads spans from lines that begin with a first and a last address; zeroes mean no span. */
    private static void read(Path file, List<Span> spans) throws IOException {
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split(" ", -1);
            long last = Long.decode(words[1]);
            if (last != 0) {
                spans.add(new Span(Long.decode(words[0]), last, file + ": " + line));
            }
        }
    }
}
