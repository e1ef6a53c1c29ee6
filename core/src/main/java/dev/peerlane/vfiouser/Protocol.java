package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Numbers of the vfio-user protocol, version 0.1. All fields are little-endian. A message is a
 * header of 16 bytes (identifier, command, length with the header, flags, error number) and a body.
 */
public final class Protocol {
    /** Length of the header. */
    public static final int HEADER_BYTES = 16;

    /** Longer messages end the connection. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024;

    /** Version of the protocol: major 0, minor 1. */
    public static final int MAJOR = 0;

    /** See {@link #MAJOR}. */
    public static final int MINOR = 1;

    /** Command: u16 major, u16 minor, JSON that ends in a zero byte. */
    public static final int VERSION = 1;

    /** Command: u32 argsz, u32 flags, u64 offset, u64 address, u64 size, with a descriptor. */
    public static final int DMA_MAP = 2;

    /** Command: u32 argsz, u32 flags, u64 address, u64 size. */
    public static final int DMA_UNMAP = 3;

    /** Command: u32 argsz, u32 flags, u32 regions, u32 interrupt kinds. */
    public static final int DEVICE_GET_INFO = 4;

    /** Command: u32 argsz, u32 flags, u32 index, u32 first capability, u64 size, u64 offset. */
    public static final int DEVICE_GET_REGION_INFO = 5;

    /** Command: u32 argsz, u32 flags, u32 index, u32 count. */
    public static final int DEVICE_GET_IRQ_INFO = 7;

    /**
     * Command: u32 argsz, u32 flags, u32 index, u32 start, u32 count, then a byte for each vector
     * if the flags say so; eventfds as descriptors.
     */
    public static final int DEVICE_SET_IRQS = 8;

    /** Command: u64 offset, u32 region, u32 count; the answer has the bytes behind. */
    public static final int REGION_READ = 9;

    /** Command: u64 offset, u32 region, u32 count, bytes; the answer has none. */
    public static final int REGION_WRITE = 10;

    /** Command without a body. */
    public static final int DEVICE_RESET = 13;

    /** Header flags 3:0: this is a reply. */
    public static final int REPLY = 1;

    /** Header flags: the type of a message, 0 for a command. */
    public static final int TYPE_MASK = 0xf;

    /** Header flag of a command: nobody waits for a reply. */
    public static final int NO_REPLY = 0x10;

    /** Header flag of a reply: the error number counts. */
    public static final int ERROR = 0x20;

    /** Length of the body of {@link #DMA_MAP}. */
    public static final int DMA_MAP_BYTES = 32;

    /** Length of the body of {@link #DMA_UNMAP}. */
    public static final int DMA_UNMAP_BYTES = 24;

    /** Length of the body of {@link #DEVICE_GET_INFO} and {@link #DEVICE_GET_IRQ_INFO}. */
    public static final int INFO_BYTES = 16;

    /** Length of the body of {@link #DEVICE_SET_IRQS} without descriptors or flags. */
    public static final int SET_IRQS_BYTES = 20;

    /** Length of {@link #DEVICE_GET_REGION_INFO} without capabilities. */
    public static final int REGION_INFO_BYTES = 32;

    /** Length of {@link #REGION_READ} and {@link #REGION_WRITE} without the bytes. */
    public static final int REGION_ACCESS_BYTES = 16;

    /** {@link #DMA_MAP}: the device may read and write. */
    public static final int DMA_READ_WRITE = 3;

    /** {@link #DMA_UNMAP}: everything. */
    public static final int DMA_UNMAP_ALL = 2;

    /** Device flags: it has a reset, and is a PCI function. */
    public static final int DEVICE_RESETS = 1;

    /** See {@link #DEVICE_RESETS}. */
    public static final int DEVICE_PCI = 2;

    /** Region flags: it can be read and written. */
    public static final int REGION_READ_WRITE = 3;

    /** Region flag: parts can be mapped. */
    public static final int REGION_MMAP = 4;

    /** Region flag: there are capabilities. */
    public static final int REGION_CAPS = 8;

    /** Capability: u16 1, u16 version, u32 next, u32 count, u32 0, then u64 offset, u64 size. */
    public static final int CAP_SPARSE_MMAP = 1;

    /** Region of the configuration space. */
    public static final int CONFIG_REGION = 7;

    /** Regions of a PCI device: six BARs, ROM, configuration, VGA. */
    public static final int REGIONS = 9;

    /** Kinds of interrupts of a PCI device: INTx, MSI, MSI-X, error, request. */
    public static final int INTERRUPT_KINDS = 5;

    /** Kind of interrupts: MSI-X. */
    public static final int IRQ_MSIX = 2;

    /** {@link #DEVICE_GET_IRQ_INFO}: they are told by eventfds, and can be masked. */
    public static final int IRQ_EVENTFD = 1;

    /** See {@link #IRQ_EVENTFD}. */
    public static final int IRQ_MASKABLE = 2;

    /**
     * {@link #DEVICE_SET_IRQS}: the action is for all vectors named; exactly one of these three.
     */
    public static final int IRQ_DATA_NONE = 1;

    /** {@link #DEVICE_SET_IRQS}: for those whose byte is not zero. */
    public static final int IRQ_DATA_BOOL = 2;

    /** {@link #DEVICE_SET_IRQS}: vectors get eventfds, or lose theirs where none are passed. */
    public static final int IRQ_DATA_EVENTFD = 4;

    /** {@link #DEVICE_SET_IRQS}: mask; exactly one of these three. */
    public static final int IRQ_MASK = 8;

    /** {@link #DEVICE_SET_IRQS}: unmask. */
    public static final int IRQ_UNMASK = 0x10;

    /** {@link #DEVICE_SET_IRQS}: trigger, or say by which eventfd to trigger. */
    public static final int IRQ_TRIGGER = 0x20;

    /** Granularity of mappings. */
    public static final int PAGE_BYTES = Bits.PAGE_BYTES;

    // Our own, in a refusal of VERSION with EBUSY, behind the version numbers: others skip it.
    private static final Pattern TAKEN_SECONDS =
            Pattern.compile("\\{\"taken\":\\{\"seconds\":(\\d{1,9})\\}\\}");
    private static final int TAKEN_BYTES = 64;

    private Protocol() {}

    /**
     * Puts the body of the answer to a client that asks for a device in use.
     *
     * @param seconds since when it is
     * @return its length
     */
    public static long putTaken(MemorySegment body, long seconds) {
        body.fill((byte) 0);
        body.set(JAVA_SHORT_UNALIGNED, 2, (short) MINOR);
        long told = Math.clamp(seconds, 0, 999_999_999);
        body.setString(4, "{\"taken\":{\"seconds\":%d}}".formatted(told));
        return TAKEN_BYTES;
    }

    /** Returns since when a device is in use, if the body of a refusal tells that. */
    static OptionalLong takenSeconds(MemorySegment body) {
        if (body.byteSize() != TAKEN_BYTES) {
            return OptionalLong.empty();
        }
        byte[] text = body.asSlice(4).toArray(ValueLayout.JAVA_BYTE);
        Matcher said = TAKEN_SECONDS.matcher(new String(text, StandardCharsets.US_ASCII));
        return said.lookingAt()
                ? OptionalLong.of(Long.parseLong(said.group(1)))
                : OptionalLong.empty();
    }

    /** Returns the error of a peer that does not keep to the protocol. */
    public static PeerlaneException violation(String peer, String what) {
        return PeerlaneException.machine(
                "vfio-user-protocol",
                "%s does not speak vfio-user: %s".formatted(peer, what),
                "See that the socket belongs to a vfio-user server of an NVMe device");
    }
}
