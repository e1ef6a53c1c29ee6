package dev.peerlane.qtest;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/**
 * Answers like a q35 with an IOMMU and one NVMe function, 00:04.0, which has a BAR of 16 KiB. It is
 * enough to attach to, but no data moves.
 */
final class FakeQ35 implements AutoCloseable {
    static final String LOCATOR = "qemu:00:04.0";

    /** The address of the function's configuration space. */
    static final long CONFIG = EcamConfig.ECAM_BASE + (4L << 15);

    static final int RAM_BYTES = 64 << 20;
    private static final long IOMMU = 0xfed9_0000L;
    private static final long RECORDS = IOMMU + 0x200;
    private static final int BAR_BYTES = 0x4000;

    private final RandomAccessFile ram;
    private final ByteBuffer host = config(0x29c0_8086, 0x0600_0000);
    private final ByteBuffer nvme = config(0x0010_1b36, 0x0108_0200);
    private final Map<Long, Long> elsewhere = new HashMap<>();

    FakeQ35(Path ramFile) throws IOException {
        ram = new RandomAccessFile(ramFile.toFile(), "rw");
        ram.setLength(RAM_BYTES);
        nvme.putShort(6, (short) 0x10).put(0x34, (byte) 0x40); // has a capability list
        // PCI Express, with Function Level Reset
        nvme.putShort(0x40, (short) 0x10).putInt(0x44, 1 << 28);
        nvme.putInt(0x10, 4);
        elsewhere.put(IOMMU, 0x10L);
        // 3 levels, fault records
        elsewhere.put(IOMMU + 0x08, (2L << 8) | (0x20L << 24) | (1L << 40));
        elsewhere.put(IOMMU + 0x10, 0x10L << 8); // IOTLB registers at 100h
    }

    private static ByteBuffer config(int id, int classAndRevision) {
        return ByteBuffer.allocate(4096)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, id)
                .putInt(8, classAndRevision);
    }

    /** Records a fault in the IOMMU, in the format of a Fault Recording Register (VT-d 10.4.14). */
    void refuses(int register, long address, long high) {
        elsewhere.put(RECORDS + 16L * register, address);
        elsewhere.put(RECORDS + 16L * register + 8, high | 1L << 63);
    }

    /** Sets the overflow of the fault records. */
    void overflows() {
        elsewhere.put(IOMMU + 0x34, 1L);
    }

    /** Returns the answer to one line. */
    String answer(String line) {
        String[] words = line.split(" ", -1);
        long at = Long.decode(words[1]);
        long value = words.length > 2 ? Long.parseUnsignedLong(words[2].substring(2), 16) : 0;
        switch (words[0]) {
            case "writew" -> store(at, 2, value);
            case "writel" -> store(at, 4, value);
            case "writeq" -> store(at, 8, value);
            case "outl", "memset", "b64write" -> {}
            case "b64read" -> {
                return "OK " + Base64.getEncoder().encodeToString(new byte[(int) value]) + "\n";
            }
            case "inl" -> {
                return "OK 0x%x\n".formatted(host.getInt(0));
            }
            case "readl" -> {
                return "OK 0x%x\n".formatted(load(at) & 0xffff_ffffL);
            }
            case "readq" -> {
                return "OK 0x%x\n".formatted(load(at));
            }
            default -> {
                return "FAIL unknown\n";
            }
        }
        return "OK\n";
    }

    private long load(long at) {
        ByteBuffer config = configAt(at);
        if (config != null) {
            return config.getInt((int) at & 0xfff);
        }
        boolean absent = at >= EcamConfig.ECAM_BASE && at < EcamConfig.ECAM_BASE + (1 << 28);
        return absent ? -1 : elsewhere.getOrDefault(at, 0L);
    }

    private ByteBuffer configAt(long at) {
        return (at & -4096L) == EcamConfig.ECAM_BASE ? host : isOfNvme(at) ? nvme : null;
    }

    private static boolean isOfNvme(long at) {
        return (at & -4096L) == CONFIG;
    }

    private void store(long at, int bytes, long value) {
        ByteBuffer config = configAt(at);
        int offset = (int) at & 0xfff;
        if (at < RAM_BYTES) {
            try {
                ram.seek(at);
                ram.writeLong(Long.reverseBytes(value));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        } else if (at >= RECORDS && at < RECORDS + 32) {
            if ((at & 15) == 12 && value >>> 31 == 1) { // writing 1 clears F
                elsewhere.computeIfPresent(at - 4, (a, high) -> high & Long.MAX_VALUE);
            }
        } else if (at == IOMMU + 0x34) {
            elsewhere.computeIfPresent(at, (a, status) -> status & ~value);
        } else if (config == null) {
            long kept = at == IOMMU + 0x28 || at == IOMMU + 0x108 ? value >>> 1 : value;
            elsewhere.put(at == IOMMU + 0x18 ? IOMMU + 0x1c : at, kept); // done at once
        } else if (bytes == 2) {
            config.putShort(offset, (short) value);
        } else if (isOfNvme(at) && offset == 0x10) {
            config.putInt(offset, ((int) value & -BAR_BYTES) | 4);
        } else if (isOfNvme(at) && offset == 0x14) {
            config.putInt(offset, (int) value);
        }
    }

    @Override
    public void close() throws IOException {
        ram.close();
    }
}
