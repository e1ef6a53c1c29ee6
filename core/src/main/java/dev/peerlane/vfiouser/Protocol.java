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
 * Constants of the vfio-user protocol, version 0.1. All fields are little-endian. A message has a
 * header of 16 bytes (identifier, command, length including the header, flags, error number) and a
 * body.
 */
public final class Protocol {
    /** Length of a message's header in bytes. */
    public static final int HEADER_BYTES = 16;

    /** Largest message in bytes, header included. A longer one ends the connection. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024;

    /** Major version of the protocol. */
    public static final int MAJOR = 0;

    /** Minor version of the protocol. */
    public static final int MINOR = 1;

    /** Command: u16 major, u16 minor, JSON that ends with a zero byte. */
    public static final int VERSION = 1;

    /** Command: u32 argsz, u32 flags, u64 offset, u64 address, u64 size; with a descriptor. */
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

    /** Command: u64 offset, u32 region, u32 count; the reply appends the bytes. */
    public static final int REGION_READ = 9;

    /** Command: u64 offset, u32 region, u32 count, bytes; the reply has no bytes. */
    public static final int REGION_WRITE = 10;

    /** Command without a body. */
    public static final int DEVICE_RESET = 13;

    /** Header flags 3:0: the message is a reply. */
    public static final int REPLY = 1;

    /** Header flags: the type of a message, 0 for a command. */
    public static final int TYPE_MASK = 0xf;

    /** Header flag of a command: the sender expects no reply. */
    public static final int NO_REPLY = 0x10;

    /** Header flag of a reply: the error number is valid. */
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

    /** {@link #DMA_MAP} flags: the device may read and write. */
    public static final int DMA_READ_WRITE = 3;

    /** {@link #DMA_UNMAP} flag: unmap everything. */
    public static final int DMA_UNMAP_ALL = 2;

    /** Device flag: the device supports a reset. */
    public static final int DEVICE_RESETS = 1;

    /** Device flag: the device is a PCI function. */
    public static final int DEVICE_PCI = 2;

    /** Region flags: the region can be read and written. */
    public static final int REGION_READ_WRITE = 3;

    /** Region flag: parts of the region can be mapped. */
    public static final int REGION_MMAP = 4;

    /** Region flag: capabilities follow. */
    public static final int REGION_CAPS = 8;

    /** Capability: u16 1, u16 version, u32 next, u32 count, u32 0, then u64 offset, u64 size. */
    public static final int CAP_SPARSE_MMAP = 1;

    /** Index of the region of the configuration space. */
    public static final int CONFIG_REGION = 7;

    /** Number of regions of a PCI device: six BARs, ROM, configuration space, VGA. */
    public static final int REGIONS = 9;

    /** Number of interrupt kinds of a PCI device: INTx, MSI, MSI-X, error, request. */
    public static final int INTERRUPT_KINDS = 5;

    /** Index of the interrupt kind MSI-X. */
    public static final int IRQ_MSIX = 2;

    /** {@link #DEVICE_GET_IRQ_INFO} flag: interrupts are signalled through eventfds. */
    public static final int IRQ_EVENTFD = 1;

    /** {@link #DEVICE_GET_IRQ_INFO} flag: interrupts can be masked. */
    public static final int IRQ_MASKABLE = 2;

    /**
     * {@link #DEVICE_SET_IRQS} flag: the action applies to all vectors in the range. Exactly one of
     * the three IRQ_DATA flags is set.
     */
    public static final int IRQ_DATA_NONE = 1;

    /** {@link #DEVICE_SET_IRQS} flag: the action applies to the vectors whose byte is not zero. */
    public static final int IRQ_DATA_BOOL = 2;

    /**
     * {@link #DEVICE_SET_IRQS} flag: sets the vectors' eventfds, or removes them if none are
     * passed.
     */
    public static final int IRQ_DATA_EVENTFD = 4;

    /** {@link #DEVICE_SET_IRQS} action: mask. Exactly one of the three actions is set. */
    public static final int IRQ_MASK = 8;

    /** {@link #DEVICE_SET_IRQS} action: unmask. */
    public static final int IRQ_UNMASK = 0x10;

    /** {@link #DEVICE_SET_IRQS} action: trigger, or set the eventfd that a trigger signals. */
    public static final int IRQ_TRIGGER = 0x20;

    /** Granularity of mappings in bytes. */
    public static final int PAGE_BYTES = Bits.PAGE_BYTES;

    // Peerlane's own field, after the version numbers in an EBUSY reply to VERSION: others skip it.
    private static final Pattern TAKEN_SECONDS =
            Pattern.compile("\\{\"taken\":\\{\"seconds\":(\\d{1,9})\\}\\}");
    private static final int TAKEN_BYTES = 64;

    private Protocol() {}

    /**
     * Writes the body of the reply to a client that asks for a device in use.
     *
     * @param seconds how long the device has been in use
     * @return the body's length in bytes
     */
    public static long putTaken(MemorySegment body, long seconds) {
        body.fill((byte) 0);
        body.set(JAVA_SHORT_UNALIGNED, 2, (short) MINOR);
        long told = Math.clamp(seconds, 0, 999_999_999);
        body.setString(4, "{\"taken\":{\"seconds\":%d}}".formatted(told));
        return TAKEN_BYTES;
    }

    /**
     * Returns for how many seconds a device has been in use, if the body of a refusal contains
     * that.
     */
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

    /** Returns the error for a peer that violates the protocol. */
    public static PeerlaneException violation(String peer, String what) {
        return PeerlaneException.machine(
                "vfio-user-protocol",
                "%s does not speak vfio-user: %s".formatted(peer, what),
                "See that the socket belongs to a vfio-user server of an NVMe device");
    }
}
