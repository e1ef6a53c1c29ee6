package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciDetails;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a function's configuration space that verdicts need, read with as few accesses as
 * possible: the first 64 bytes, the headers of the two capability lists, and the registers of the
 * capabilities that are understood. Bytes that were not read are all ones, like absent registers.
 *
 * <p>Few accesses matter: an access can wake a function, and accesses that a device did not expect
 * have hung machines.
 */
public final class ConfigReading {
    /** The file of a capture that lists which bytes of {@code config} were read. */
    public static final String RANGES = "config.read";

    private static final int HEADER_BYTES = 4;
    private static final int MAX_CAPABILITIES = 48;
    private static final int MAX_EXTENDED = 256;
    private static final int EXTENDED = 0x100;
    private static final int WHOLE = 4096;

    /** Up to Link Status 2; nothing after it is used (PCIe 5.0, 7.5.3). */
    private static final int EXPRESS_BYTES = 0x34;

    private static final int SERIAL_BYTES = 12;

    private final SystemFiles files;
    private final String directory;
    private final byte[] bytes = new byte[WHOLE];
    private final BitSet known = new BitSet();
    private int readable;

    private ConfigReading(SystemFiles files, String directory) {
        this.files = files;
        this.directory = directory;
    }

    /** Returns the reading of a function of which nothing was read. */
    static ConfigReading none(SystemFiles files, String directory) {
        return new ConfigReading(files, directory);
    }

    /** Reads only the first 64 bytes. */
    static ConfigReading header(SystemFiles files, String directory) {
        ConfigReading reading = new ConfigReading(files, directory);
        if (!reading.captured()) {
            reading.readable = reading.read(0, SysfsTree.PUBLIC_BYTES);
        }
        return reading;
    }

    /**
     * Reads what verdicts need.
     *
     * @param directory directory of the function
     * @param serial whether to read the Device Serial Number too
     */
    public static ConfigReading of(SystemFiles files, String directory, boolean serial) {
        ConfigReading reading = new ConfigReading(files, directory);
        if (!reading.captured()) {
            reading.walk(serial);
        }
        return reading;
    }

    /**
     * Returns how many bytes were readable: 64 if not root, 256 without extended configuration
     * space.
     */
    public int readableBytes() {
        return readable;
    }

    /** Returns the configuration space. Bytes that were not read are all ones. */
    public ConfigBytes config() {
        return new ConfigBytes(bytes, known);
    }

    /**
     * Returns the bytes up to the last one that was read, for a capture. Bytes that were not read
     * are 0.
     */
    public byte[] bytes() {
        return java.util.Arrays.copyOf(bytes, known.length());
    }

    /** Returns which bytes were read, in the format of {@link #RANGES}. */
    public String ranges() {
        StringBuilder text = new StringBuilder("readable %x\n".formatted(readable));
        for (int from = known.nextSetBit(0); from >= 0; ) {
            int to = known.nextClearBit(from);
            text.append("%x %x\n".formatted(from, to - from));
            from = known.nextSetBit(to);
        }
        return text.toString();
    }

    /**
     * Loads the ranges that a capture lists, and returns whether it lists any. If so, there are no
     * other bytes to read.
     */
    private boolean captured() {
        String ranges = files.text(directory + "/" + RANGES);
        byte @Nullable [] all = ranges == null ? null : files.bytes(directory + "/config", WHOLE);
        if (ranges == null || all == null) {
            return false;
        }
        System.arraycopy(all, 0, bytes, 0, all.length);
        for (String line : ranges.split("\n", WHOLE)) {
            String[] words = line.strip().split(" ", -1);
            int first = words.length == 2 ? hexadecimal(words[0]) : -1;
            int count = words.length == 2 ? hexadecimal(words[1]) : -1;
            if (words[0].equals("readable") && count >= 0) {
                readable = Math.min(count, WHOLE);
            } else if (first >= 0 && count > 0 && first + count <= all.length) {
                known.set(first, first + count);
            }
        }
        return true;
    }

    private static int hexadecimal(String text) {
        try {
            int value = Integer.parseInt(text, 16);
            return value >= 0 && value <= WHOLE ? value : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Reads bytes that are not known yet. Returns their number. */
    private int read(int offset, int count) {
        int end = Math.min(offset + count, WHOLE);
        int from = known.nextClearBit(offset);
        if (from >= end) {
            return count;
        }
        byte[] read = files.bytes(directory + "/config", from, end - from);
        if (read == null) {
            return from - offset;
        }
        System.arraycopy(read, 0, bytes, from, read.length);
        known.set(from, from + read.length);
        return from - offset + read.length;
    }

    private int word(int offset) {
        return (bytes[offset] & 0xff) | (bytes[offset + 1] & 0xff) << 8;
    }

    private void walk(boolean serial) {
        readable = read(0, SysfsTree.PUBLIC_BYTES);
        if (readable < SysfsTree.PUBLIC_BYTES) {
            return;
        }
        boolean express = false;
        boolean list = (word(ConfigSpace.STATUS) & 0x10) != 0;
        int at = list ? bytes[ConfigSpace.CAPABILITIES] & 0xfc : 0;
        for (int i = 0; i < MAX_CAPABILITIES && at >= 0x40; i++) {
            if (read(at, HEADER_BYTES) < 2) {
                return; // only root may read more
            }
            int head = word(at);
            if ((head & 0xff) == ConfigSpace.CAP_PCI_EXPRESS) {
                express = true;
                read(at, Math.min(EXPRESS_BYTES, EXTENDED - at));
            }
            at = (head >>> 8) & 0xfc;
        }
        readable = EXTENDED;
        if (express) {
            extended(serial);
        }
    }

    private void extended(boolean serial) {
        int at = EXTENDED;
        for (int i = 0; i < MAX_EXTENDED && at >= EXTENDED && at <= WHOLE - HEADER_BYTES; i++) {
            if (read(at, HEADER_BYTES) < HEADER_BYTES) {
                return; // the kernel provides 256 bytes
            }
            readable = WHOLE;
            int head = word(at) | word(at + 2) << 16;
            if (head == 0 || head == -1) {
                return;
            }
            int length =
                    switch (head & 0xffff) {
                        case PciDetails.EXT_AER -> 0x14;
                        case ConfigSpace.EXT_ACS -> 0x10;
                        case PciDetails.EXT_DPC -> 0x0c;
                        case PciDetails.EXT_ATS -> 0x08;
                        case PciDetails.EXT_SERIAL -> serial ? SERIAL_BYTES : HEADER_BYTES;
                        default -> HEADER_BYTES;
                    };
            read(at, Math.min(length, WHOLE - at));
            at = (head >>> 20) & 0xffc;
        }
    }
}
