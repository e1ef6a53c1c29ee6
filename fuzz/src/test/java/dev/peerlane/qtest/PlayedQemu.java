package dev.peerlane.qtest;

import dev.peerlane.fuzz.Input;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.ConfigBytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A q35 machine with two drives and an IOMMU behind the qtest protocol. The input changes some
 * answers: other numbers, other text, more lines or none, interrupts, end of stream.
 */
final class PlayedQemu implements Function<String, @Nullable String> {
    private static final int MOST_LINES = 400_000;
    private static final long ECAM_END = EcamConfig.ECAM_BASE + (256L << 20);
    private static final long IOMMU = 0xfed9_0000L;
    private static final int IOMMU_CAP = 8;
    private static final int IOMMU_COMMAND = 0x18;
    private static final int IOMMU_STATUS = 0x1c;
    private static final int BUS_NUMBERS = 0x18;
    private static final long BAR_BYTES = 0x4000;
    private static final int EXPRESS = 0x40;
    private static final Bdf PORT = new Bdf(0, 0, 1, 0);

    /** The address under which the function below the port is stored. */
    private static final Bdf BELOW = new Bdf(0, 255, 0, 0);

    private static final int MOST_IRQS = 5000;
    private static final int MOST_HONEST = 1024;

    private final Input input;
    private final MemorySegment ram;
    private final boolean iommu;
    private final int honest;
    private final Map<Long, Integer> words = new HashMap<>();
    private final Map<Bdf, ConfigBytes> functions = new HashMap<>();
    private int configAddress;
    private int lines;

    /**
     * Creates a machine.
     *
     * @param ram its memory, which it may change at any time
     */
    PlayedQemu(Input input, MemorySegment ram, int kind) {
        this.input = input;
        this.ram = ram;
        iommu = (kind & 1) != 0;
        honest = (kind & 8) != 0 ? input.int16() % MOST_HONEST : 0;
        function(new Bdf(0, 0, 0, 0), 0x29c0_8086, 0x060000, 0);
        function(PORT, 0x000c_1b36, 0x060400, 1);
        function(new Bdf(0, 0, 2, 0), 0x0010_1b36, PciFunction.CLASS_NVME, 0);
        function(BELOW, 0x0010_1b36, PciFunction.CLASS_NVME, 0);
        for (int patches = (kind & 2) != 0 ? input.below(32) : 0; patches > 0; patches--) {
            int which = input.below(4);
            Bdf bdf = which == 3 ? BELOW : new Bdf(0, 0, which, 0);
            functions.get(bdf).store32(4 * input.below(1024), input.int32());
        }
    }

    private void function(Bdf bdf, int identity, int classCode, int header) {
        ConfigBytes config = new ConfigBytes(new byte[4096]);
        config.store32(ConfigSpace.VENDOR_ID, identity);
        config.store32(ConfigSpace.COMMAND, 0x0010_0000);
        config.store32(ConfigSpace.CLASS_REVISION, classCode << 8);
        config.store32(0x0c, header << 16);
        config.store32(ConfigSpace.CAPABILITIES, EXPRESS);
        // a root port, or an endpoint with Function Level Reset
        config.store32(EXPRESS, (header == 1 ? 0x0042_0000 : 0x0002_0000) | 0x10);
        config.store32(EXPRESS + 4, 1 << 28);
        functions.put(bdf, config);
    }

    @Override
    public @Nullable String apply(String line) {
        if (++lines > MOST_LINES) {
            throw new AssertionError("QEMU is asked forever");
        }
        String good = good(line.split(" ", -1));
        boolean lies = lines > honest && (input.int8() & 3) == 3;
        return lies ? lie(good) : good + "\n";
    }

    private @Nullable String lie(String good) {
        switch (input.below(12)) {
            case 0, 1, 2, 3 -> {
                return "OK 0x%x\n".formatted(input.flag() ? input.int32() : input.int64());
            }
            case 4 -> {
                return new String(
                                input.bytes(input.int8()),
                                java.nio.charset.StandardCharsets.ISO_8859_1)
                        + "\n";
            }
            case 5 -> {
                return good + "\n" + good + "\n";
            }
            case 6 -> {
                return "IRQ raise %d\n".formatted(input.int8()).repeat(1 + input.below(MOST_IRQS))
                        + good
                        + "\n";
            }
            case 7 -> {
                return "OK " + "A".repeat(4 * input.int16()) + "\n";
            }
            case 8 -> {
                return "OK\n";
            }
            case 9 -> {
                if (input.below(4) == 0) {
                    return input.flag() ? "" : null; // silence, or end of stream
                }
                return good.toLowerCase(java.util.Locale.ROOT) + "\n";
            }
            case 10 -> {
                return "FAIL Unknown command '%s'\n".formatted(good);
            }
            default -> {
                // QEMU may change the guest's memory at any time
                long at = 8 * ((input.int32() & Integer.MAX_VALUE) % (ram.byteSize() / 8));
                boolean table = input.flag();
                ram.set(
                        ValueLayout.JAVA_LONG,
                        table ? (16 << 20) + at % (64 << 10) : at,
                        input.int64());
                return good + "\n";
            }
        }
    }

    private String good(String[] words) {
        long first = words.length > 1 ? number(words[1]) : 0;
        long second = words.length > 2 ? number(words[2]) : 0;
        switch (words[0]) {
            case "endianness" -> {
                return "OK little";
            }
            case "outl" -> {
                if (first == 0xcf8) {
                    configAddress = (int) second;
                }
                return "OK";
            }
            case "inl" -> {
                Bdf bdf = new Bdf(0, configAddress >>> 16 & 255, configAddress >>> 11 & 31, 0);
                return "OK 0x%x".formatted(config(bdf, configAddress & 0xfc));
            }
            case "readl" -> {
                return "OK 0x%x".formatted(load(first));
            }
            case "readq" -> {
                return "OK 0x%016x"
                        .formatted((load(first) & 0xffff_ffffL) | ((long) load(first + 4) << 32));
            }
            case "writew" -> {
                int old = load(first & -4);
                int shift = (int) (first & 2) * 8;
                store(first & -4, (old & ~(0xffff << shift)) | ((int) second << shift));
                return "OK";
            }
            case "writel" -> {
                store(first, (int) second);
                return "OK";
            }
            case "writeq" -> {
                store(first, (int) second);
                store(first + 4, (int) (second >>> 32));
                return "OK";
            }
            case "b64read" -> {
                return "OK " + Base64.getEncoder().encodeToString(new byte[(int) second]);
            }
            default -> {
                return "OK";
            }
        }
    }

    private static long number(String word) {
        return word.startsWith("0x") ? Long.parseUnsignedLong(word.substring(2), 16) : 0;
    }

    private int load(long address) {
        if (address >= 0 && address <= ram.byteSize() - 4) {
            return ram.get(ValueLayout.JAVA_INT_UNALIGNED, address);
        }
        if (address >= EcamConfig.ECAM_BASE && address < ECAM_END) {
            return config(bdf(address), (int) (address & 0xffc));
        }
        if (address == IOMMU || address == IOMMU + IOMMU_CAP) {
            return iommu ? 0x0000_0010 | 2 << 8 : 0;
        }
        return words.getOrDefault(address, 0);
    }

    private void store(long address, int value) {
        if (address >= 0 && address <= ram.byteSize() - 4) {
            ram.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
        } else if (address >= EcamConfig.ECAM_BASE && address < ECAM_END) {
            storeConfig(bdf(address), (int) (address & 0xffc), value);
        } else if (address == IOMMU + IOMMU_COMMAND) {
            words.put(IOMMU + IOMMU_STATUS, value);
        } else if (address >>> 12 == IOMMU >>> 12) {
            words.put(address, value & Integer.MAX_VALUE); // invalidation completes at once
        } else if (words.size() < 100_000) {
            words.put(address, value);
        }
    }

    private static Bdf bdf(long address) {
        int id = (int) ((address - EcamConfig.ECAM_BASE) >>> 12);
        return new Bdf(0, id >>> 8, id >>> 3 & 31, id & 7);
    }

    /**
     * Returns the configuration space at an address. The function below the root port is on that
     * port's secondary bus.
     */
    private @Nullable ConfigBytes function(Bdf bdf) {
        int secondary = functions.get(PORT).load8(BUS_NUMBERS + 1);
        if (bdf.bus() != 0) {
            boolean below = bdf.bus() == secondary && bdf.device() == 0 && bdf.function() == 0;
            return below ? functions.get(BELOW) : null;
        }
        return functions.get(bdf);
    }

    private int config(Bdf bdf, int offset) {
        ConfigBytes config = function(bdf);
        return config == null ? -1 : config.load32(offset);
    }

    private void storeConfig(Bdf bdf, int offset, int value) {
        ConfigBytes config = function(bdf);
        boolean fixed = offset == 0 || offset == ConfigSpace.CLASS_REVISION || offset == 0x0c;
        if (config == null || fixed) {
            return;
        }
        boolean drive = config.classCode() == PciFunction.CLASS_NVME;
        int bars = drive ? 6 : 2;
        int stored = value;
        if (drive && offset == ConfigSpace.BAR0) {
            stored = (value & (int) -BAR_BYTES) | 0xc;
        } else if (offset > ConfigSpace.BAR0 + 4 * (drive ? 1 : -1)
                && offset < ConfigSpace.BAR0 + 4 * bars) {
            stored = 0;
        }
        config.store32(offset, stored);
    }
}
