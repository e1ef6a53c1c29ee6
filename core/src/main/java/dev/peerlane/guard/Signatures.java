package dev.peerlane.guard;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Finds the signatures of partition tables, file systems, arrays, volumes and swap on a device.
 * Reads only the places where signatures can be, within the first 19 MiB and the last 512 KiB.
 * Magic numbers and names are those of libblkid (util-linux). A magic number so short that random
 * bytes could match it is checked together with the bytes around it.
 */
public final class Signatures {
    private static final String TABLE = "signatures.txt";
    private static final int WINDOW = 64 << 10;
    private static final int SECTOR = 512;

    private final DeviceBytes device;
    private final Map<Long, byte[]> windows = new HashMap<>();

    private Signatures(DeviceBytes device) {
        this.device = device;
    }

    /**
     * Searches a device for signatures.
     *
     * @return the signatures, each name once
     * @throws dev.peerlane.PeerlaneException if a part can't be read, so that its content is
     *     unknown
     */
    public static List<Signature> find(DeviceBytes device) {
        return new Signatures(device).find();
    }

    private List<Signature> find() {
        List<Signature> found = new ArrayList<>();
        for (Magic magic : table()) {
            long first = magic.first(device.sizeBytes());
            for (int i = 0; i < magic.count(); i++) {
                long at = first + i * magic.step();
                String name = is(magic, at) ? name(magic, at) : "";
                if (!name.isEmpty() && found.stream().noneMatch(s -> s.name().equals(name))) {
                    found.add(new Signature(magic.kind(), name, at));
                }
            }
        }
        return List.copyOf(found);
    }

    private static List<Magic> table() {
        try (InputStream in = Objects.requireNonNull(Signatures.class.getResourceAsStream(TABLE));
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return lines.lines().filter(l -> !l.startsWith("#")).map(Magic::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean is(Magic magic, long at) {
        int length = magic.bytes().length();
        return at >= 0
                && at <= device.sizeBytes() - length
                && new String(bytes(at, length), StandardCharsets.ISO_8859_1).equals(magic.bytes());
    }

    /**
     * Returns the format's name, or an empty text if the bytes around the magic number do not have
     * that format.
     */
    private String name(Magic magic, long at) {
        return switch (magic.name()) {
            case "ext4" -> extended();
            case "dos" -> masterBootRecord();
            case "nilfs2" -> isNilfs(at - 6) ? magic.name() : "";
            case "sun" -> isSun() ? magic.name() : "";
            default -> magic.name();
        };
    }

    /**
     * Returns the name of an ext format. The superblock is at 1024; its features tell ext2, ext3,
     * ext4 and an external journal apart.
     */
    private String extended() {
        ByteBuffer block = little(1024, 256);
        int compatible = block.getInt(0x5c);
        int incompatible = block.getInt(0x60);
        int readOnly = block.getInt(0x64);
        boolean plausible =
                Integer.compareUnsigned(block.getInt(0x18), 6) <= 0
                        && Integer.compareUnsigned(block.getInt(0x4c), 1) <= 0
                        && block.getInt(0x4) != 0;
        if (!plausible) {
            return "";
        }
        if ((incompatible & 0x8) != 0) {
            return "jbd";
        }
        boolean fourth = (incompatible & ~0x16) != 0 || (readOnly & ~0x7) != 0;
        if (fourth) {
            return "ext4";
        }
        return (compatible & 0x4) != 0 ? "ext3" : "ext2";
    }

    /**
     * Checks the four boot flags of a partition table. The boot sector of a file system has code
     * there.
     */
    private String masterBootRecord() {
        byte[] sector = bytes(0, SECTOR);
        if (isFat(sector, 0x36) || isFat(sector, 0x52)) {
            return "";
        }
        boolean protective = false;
        for (int entry = 446; entry < 510; entry += 16) {
            if ((sector[entry] & 0x7f) != 0) {
                return "";
            }
            protective |= (sector[entry + 4] & 0xff) == 0xee;
        }
        return protective ? "PMBR" : "dos";
    }

    private static boolean isFat(byte[] sector, int at) {
        return sector[at] == 'F' && sector[at + 1] == 'A' && sector[at + 2] == 'T';
    }

    private boolean isNilfs(long start) {
        ByteBuffer block = little(start, 16);
        int bytes = block.getShort(8) & 0xffff;
        return block.getInt(0) == 2 && bytes >= 256 && bytes <= 1024;
    }

    /** Returns whether the XOR of the label's 16-bit words is 0. */
    private boolean isSun() {
        ByteBuffer sector = little(0, SECTOR);
        int sum = 0;
        for (int at = 0; at < SECTOR; at += 2) {
            sum ^= sector.getShort(at);
        }
        return (sum & 0xffff) == 0;
    }

    private ByteBuffer little(long offset, int length) {
        return ByteBuffer.wrap(bytes(offset, length)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns bytes of the device. Bytes after the end are zeroes. */
    private byte[] bytes(long offset, int length) {
        byte[] result = new byte[length];
        for (int done = 0; done < length; ) {
            long at = offset + done;
            long window = at / WINDOW * WINDOW;
            byte[] content = windows.computeIfAbsent(window, this::load);
            int in = (int) (at - window);
            int n = Math.min(length - done, WINDOW - in);
            System.arraycopy(content, in, result, done, n);
            done += n;
        }
        return result;
    }

    private byte[] load(long window) {
        byte[] content = new byte[WINDOW];
        long left = device.sizeBytes() - window;
        if (left >= WINDOW) {
            device.read(window, content);
        } else if (left > 0) {
            byte[] rest = new byte[(int) left];
            device.read(window, rest);
            System.arraycopy(rest, 0, content, 0, rest.length);
        }
        return content;
    }
}
