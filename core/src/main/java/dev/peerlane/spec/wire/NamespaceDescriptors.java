package dev.peerlane.spec.wire;

import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.WireField;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The Namespace Identification Descriptor list of one namespace, 4096 bytes (NVMe Base 2.0,
 * 5.17.2.3; {@link Cns#NAMESPACE_DESCRIPTORS}): what names a namespace for good.
 *
 * <p>The list comes from a device: a descriptor that would run past the page ends it, one whose
 * length is not that of its type is skipped.
 *
 * <table>
 * <caption>Layout of a descriptor</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th></tr>
 * <tr><td>0</td><td>NIDT</td><td>type: 1 EUI64, 2 NGUID, 3 UUID, 4 CSI</td></tr>
 * <tr><td>1</td><td>NIDL</td><td>bytes of NID; 0 ends the list</td></tr>
 * <tr><td>3:2</td><td></td><td>reserved</td></tr>
 * <tr><td>NIDL+3:4</td><td>NID</td><td>the identifier, big endian</td></tr>
 * </table>
 */
public final class NamespaceDescriptors {
    /** Length of a list in bytes. */
    public static final int BYTES = 4096;

    /** Type of an IEEE Extended Unique Identifier, 8 bytes. */
    public static final int EUI64 = 1;

    /** Type of a Namespace Globally Unique Identifier, 16 bytes. */
    public static final int NGUID = 2;

    /** Type of a Namespace UUID, 16 bytes. */
    public static final int UUID = 3;

    /** Type of a Command Set Identifier, 1 byte. */
    public static final int CSI = 4;

    private static final WireField NIDT = new WireField(0, 1);
    private static final WireField NIDL = new WireField(1, 1);
    private static final int HEADER_BYTES = 4;

    private final MemorySegment page;

    /**
     * Wraps a list.
     *
     * @throws IllegalArgumentException if the page is too short
     */
    public NamespaceDescriptors(MemorySegment page) {
        this.page =
                Wire.requireBytes(page, BYTES, "a Namespace Identification Descriptor list")
                        .asSlice(0, BYTES);
    }

    /** Returns the IEEE Extended Unique Identifier as 16 hexadecimal digits. */
    public Optional<String> eui64() {
        return find(EUI64, 8).map(HexFormat.of()::formatHex);
    }

    /** Returns the Namespace Globally Unique Identifier as 32 hexadecimal digits. */
    public Optional<String> nguid() {
        return find(NGUID, 16).map(HexFormat.of()::formatHex);
    }

    /** Returns the Namespace UUID in the usual format of five groups. */
    public Optional<String> uuid() {
        return find(UUID, 16).map(NamespaceDescriptors::grouped);
    }

    /** Returns the command set of the namespace, from {@link CommandSet}. */
    public OptionalInt csi() {
        Optional<byte[]> csi = find(CSI, 1);
        return csi.isPresent()
                ? OptionalInt.of(Byte.toUnsignedInt(csi.get()[0]))
                : OptionalInt.empty();
    }

    /**
     * Writes one descriptor.
     *
     * @param offset offset of the descriptor
     * @param type such as {@link #NGUID}
     * @param nid the identifier
     * @return the offset of the next descriptor
     */
    public static int put(MemorySegment page, int offset, int type, byte... nid) {
        MemorySegment descriptor = page.asSlice(offset, HEADER_BYTES + (long) nid.length);
        descriptor.fill((byte) 0);
        NIDT.write(descriptor, type);
        NIDL.write(descriptor, nid.length);
        MemorySegment.copy(MemorySegment.ofArray(nid), 0, descriptor, HEADER_BYTES, nid.length);
        return offset + HEADER_BYTES + nid.length;
    }

    private Optional<byte[]> find(int type, int bytes) {
        int offset = 0;
        while (offset + HEADER_BYTES <= BYTES) {
            MemorySegment rest = page.asSlice(offset);
            int length = NIDL.readInt(rest);
            if (length == 0 || HEADER_BYTES + length > rest.byteSize()) {
                break;
            }
            if (NIDT.readInt(rest) == type && length == bytes) {
                return Optional.of(new WireField(HEADER_BYTES, length).readBytes(rest));
            }
            offset += HEADER_BYTES + length;
        }
        return Optional.empty();
    }

    private static String grouped(byte[] uuid) {
        String hex = HexFormat.of().formatHex(uuid);
        return String.join(
                "-",
                hex.substring(0, 8),
                hex.substring(8, 12),
                hex.substring(12, 16),
                hex.substring(16, 20),
                hex.substring(20));
    }
}
