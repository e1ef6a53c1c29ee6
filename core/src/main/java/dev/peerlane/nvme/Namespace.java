package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PortLimits;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.DsmRange;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.NvmCommand;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A namespace: its geometry, simple I/O with one command at a time, and {@link #port} for many
 * commands in flight.
 *
 * <p>The methods that move data take a range of memory that devices can access, split transfers
 * that exceed one command, wait, and return normally or throw. They throw {@link
 * NvmeStatusException} for an error status, and {@link ControllerFault} if the controller failed or
 * did not answer. Either way, no command is in flight afterwards.
 *
 * <p>{@code offset} is in bytes and a multiple of 4; {@code lba} and {@code blocks} count logical
 * blocks. Used by the controller's owner thread.
 */
public final class Namespace {
    private static final int MAX_BLOCK_BYTES = 64 << 10;
    private static final long MAX_RANGE_BLOCKS = 0xffff_ffffL;

    /** What a namespace uses of its controller. */
    interface Host {
        PciDevice device();

        DmaDomain dma();

        ControllerProfile profile();

        ControllerMemoryBuffer requireCmb();

        /**
         * Returns the executor of synchronous commands. Throws if the controller takes no commands.
         */
        SyncIo sync();

        QueuePair createQueuePair(int depth);

        /** Creates a port that the controller closes when it closes. */
        NvmeBlockPort port(String name, int nsid, QueuePair queue, PortLimits limits);
    }

    private final Host host;
    private final int nsid;
    private final int commandSet;
    private final @Nullable IdentifyNamespace identity;
    private final @Nullable NamespaceDescriptors descriptors;

    Namespace(
            Host host,
            int nsid,
            int commandSet,
            @Nullable IdentifyNamespace identity,
            @Nullable NamespaceDescriptors descriptors) {
        this.host = host;
        this.nsid = nsid;
        this.commandSet = commandSet;
        this.identity = identity;
        this.descriptors = descriptors;
    }

    /** Returns the namespace identifier. */
    public int nsid() {
        return nsid;
    }

    /** Returns the user's name for the namespace, such as {@code emu:ssd0/n1}. */
    public String name() {
        return host.device().locator() + "/n" + Integer.toUnsignedString(nsid);
    }

    /** Returns the PCI function of the namespace's controller. */
    public PciDevice device() {
        return host.device();
    }

    /** Returns the domain for host memory that the namespace's commands use. */
    public DmaDomain dma() {
        return host.dma();
    }

    /**
     * Returns the Identify Controller data of the namespace's controller, which has been checked.
     */
    public IdentifyController controllerIdentity() {
        return host.profile().identity();
    }

    /**
     * Returns the controller memory buffer of the namespace's controller.
     *
     * @throws PeerlaneException with the reason, if there is no usable one
     */
    public ControllerMemoryBuffer requireCmb() {
        return host.requireCmb();
    }

    /** Returns the command set identifier, from {@link CommandSet}. */
    public int commandSet() {
        return commandSet;
    }

    /**
     * Returns the Identify Namespace data.
     *
     * @throws PeerlaneException if the command set has none
     */
    public IdentifyNamespace identity() {
        if (identity == null) {
            throw commandSetRefused();
        }
        return identity;
    }

    /** Returns the first of UUID, NGUID and EUI64 that the namespace has. */
    public Optional<String> uniqueId() {
        NamespaceDescriptors d = descriptors;
        return d == null ? Optional.empty() : d.uuid().or(d::nguid).or(d::eui64);
    }

    /** Returns the data bytes of a logical block, or 0 if the format's size is invalid. */
    public int blockBytes() {
        long bytes = identity().format().dataBytes();
        return bytes > Integer.MAX_VALUE ? 0 : (int) bytes;
    }

    /** Returns the number of logical blocks. */
    public long blockCount() {
        return identity().nsze();
    }

    /** Returns the size of the namespace in bytes. */
    public long sizeBytes() {
        return blockCount() * blockBytes();
    }

    /** Returns why the namespace can't be written, or null if it can. */
    public @Nullable String readOnlyReason() {
        if (identity().isWriteProtected()) {
            return "the namespace is write protected (NSATTR)";
        }
        return host.profile().isMediaReadOnly()
                ? "the controller put its media into read only mode (SMART critical warning)"
                : null;
    }

    /**
     * Checks that this driver supports the namespace's format. This is the one place where formats
     * are refused.
     *
     * @throws PeerlaneException of category MACHINE, saying what is not supported
     */
    public void checkUsable() {
        if (commandSet != CommandSet.NVM) {
            throw commandSetRefused();
        }
        IdentifyNamespace id = identity();
        if (id.formatIndex() >= id.formats()) {
            throw ControllerFault.nonsense(
                    name(),
                    "FLBAS %02Xh names format %d of %d"
                            .formatted(id.flbas(), id.formatIndex(), id.formats()));
        }
        long bytes = id.format().dataBytes();
        if (bytes < 512 || bytes > MAX_BLOCK_BYTES || bytes > host.profile().maxTransferBytes()) {
            throw unsupported(
                    "blocks of 2^%d bytes".formatted(id.format().lbads()),
                    "use a format with blocks of 512 bytes to 64 KiB that fit one command");
        }
        if (id.format().ms() != 0) {
            throw unsupported(
                    "%d bytes of metadata with each block".formatted(id.format().ms()),
                    "use a format without metadata");
        }
        if (id.protectionType() != 0) {
            throw unsupported(
                    "protection information of type %d".formatted(id.protectionType()),
                    "use a format without protection information");
        }
        if (id.nsze() <= 0 || id.nsze() > Long.MAX_VALUE / bytes) {
            throw ControllerFault.nonsense(
                    name(),
                    "NSZE %s blocks of %d bytes"
                            .formatted(Long.toUnsignedString(id.nsze()), bytes));
        }
    }

    private PeerlaneException commandSetRefused() {
        return unsupported(
                "the %s command set".formatted(CommandSet.name(commandSet)),
                "use a namespace of the NVM command set");
    }

    private PeerlaneException unsupported(String what, String remedy) {
        return PeerlaneException.machine("namespace-unsupported", name() + " has " + what, remedy);
    }

    /**
     * Creates a port with an I/O queue pair of its own.
     *
     * @param depth maximum number of commands in flight; the controller's limits may reduce it
     * @throws PeerlaneException if the namespace is not usable or no queue pair is left
     */
    public NvmeBlockPort port(int depth) {
        checkUsable();
        String readOnly = readOnlyReason();
        QueuePair queue = host.createQueuePair(depth);
        PortLimits limits =
                new PortLimits(
                        blockBytes(),
                        blockCount(),
                        maxTransferBytes(),
                        queue.depth(),
                        PrpList.PAGE,
                        controllerIdentity().oncs().compare(),
                        controllerIdentity().hasVolatileWriteCache(),
                        readOnly);
        return host.port(name(), nsid, queue, limits);
    }

    /** Returns the longest transfer of one command in bytes, a multiple of the block size. */
    public int maxTransferBytes() {
        int block = blockBytes();
        return host.profile().maxTransferBytes() / block * block;
    }

    /** Reads blocks into host memory. */
    public void read(DmaBuffer target, long offset, long lba, long blocks) {
        transfer(NvmOpcode.READ, place(target, offset, lba, blocks), lba, blocks);
    }

    /**
     * Reads blocks into peer memory.
     *
     * <p>If the memory belongs to another device, completion does not mean arrival: when this
     * method returns, the data may still be in flight. A Write from the buffer can then store old
     * bytes with success. A {@link dev.peerlane.copy.ReadFence} tells when the data has arrived.
     */
    public void read(PeerBuffer target, long offset, long lba, long blocks) {
        transfer(NvmOpcode.READ, place(target, offset, lba, blocks), lba, blocks);
    }

    /** Writes blocks from host memory. */
    public void write(DmaBuffer source, long offset, long lba, long blocks) {
        checkWritable();
        transfer(NvmOpcode.WRITE, place(source, offset, lba, blocks), lba, blocks);
    }

    /** Writes blocks from peer memory. */
    public void write(PeerBuffer source, long offset, long lba, long blocks) {
        checkWritable();
        transfer(NvmOpcode.WRITE, place(source, offset, lba, blocks), lba, blocks);
    }

    /**
     * Compares blocks with host memory. If they differ, throws the status Compare Failure (285h).
     */
    public void compare(DmaBuffer with, long offset, long lba, long blocks) {
        transfer(NvmOpcode.COMPARE, place(with, offset, lba, blocks), lba, blocks);
    }

    /**
     * Compares blocks with peer memory. If they differ, throws the status Compare Failure (285h).
     */
    public void compare(PeerBuffer with, long offset, long lba, long blocks) {
        transfer(NvmOpcode.COMPARE, place(with, offset, lba, blocks), lba, blocks);
    }

    private long place(DmaBuffer buffer, long offset, long lba, long blocks) {
        checkPlace(buffer.sizeBytes(), offset, lba, blocks);
        buffer.admit(device().bdf());
        return buffer.busAddress() + offset;
    }

    private long place(PeerBuffer buffer, long offset, long lba, long blocks) {
        checkPlace(buffer.sizeBytes(), offset, lba, blocks);
        buffer.admit(device().bdf());
        return buffer.busAddress() + offset;
    }

    private void checkPlace(long size, long offset, long lba, long blocks) {
        checkUsable();
        if (offset < 0 || (offset & 3) != 0 || offset > size) {
            throw new IllegalArgumentException(
                    "offset 0x%x of a buffer of %d bytes".formatted(offset, size));
        }
        if (blocks < 0 || blocks > (size - offset) / blockBytes()) {
            throw new IllegalArgumentException(
                    "%d blocks of %d bytes from 0x%x do not fit a buffer of %d bytes"
                            .formatted(blocks, blockBytes(), offset, size));
        }
        checkRange(lba, blocks);
    }

    private void transfer(int opcode, long bus, long lba, long blocks) {
        int block = blockBytes();
        long most = maxTransferBytes() / block;
        for (long done = 0; done < blocks; done += most) {
            int now = (int) Math.min(most, blocks - done);
            execute(opcode, bus + done * block, now * block, lba + done, now - 1);
        }
    }

    /** Sets blocks to zero without a data transfer (Write Zeroes). */
    public void writeZeroes(long lba, long blocks) {
        checkUsable();
        checkWritable();
        stepwise(
                NvmOpcode.WRITE_ZEROES,
                controllerIdentity().oncs().writeZeroes(),
                host.profile().nvmLimits().writeZeroesBytes(),
                lba,
                blocks);
    }

    /** Checks that the controller can read blocks, without a data transfer (Verify). */
    public void verify(long lba, long blocks) {
        checkUsable();
        stepwise(
                NvmOpcode.VERIFY,
                controllerIdentity().oncs().verify(),
                host.profile().nvmLimits().verifyBytes(),
                lba,
                blocks);
    }

    private void stepwise(int opcode, boolean supported, long maxBytes, long lba, long blocks) {
        checkSupported(opcode, supported);
        checkRange(lba, blocks);
        long most = Math.clamp(maxBytes / blockBytes(), 1, NvmCommand.MAX_BLOCKS);
        for (long done = 0; done < blocks; done += most) {
            int now = (int) Math.min(most, blocks - done);
            execute(opcode, 0, 0, lba + done, now - 1);
        }
    }

    /**
     * Tells the controller that the content of blocks is no longer needed (Dataset Management,
     * Deallocate). Advisory.
     */
    public void deallocate(long lba, long blocks) {
        checkUsable();
        checkWritable();
        checkSupported(NvmOpcode.DATASET_MANAGEMENT, controllerIdentity().oncs().dsm());
        checkRange(lba, blocks);
        long most = Math.min(MAX_RANGE_BLOCKS, host.profile().nvmLimits().deallocateBlocks());
        for (long done = 0; done < blocks; done += most) {
            long from = lba + done;
            long now = Math.min(most, blocks - done);
            long cdws = NvmCommand.dsmCdw10(1) | ((long) NvmCommand.DSM_DEALLOCATE << 32);
            int status =
                    host.sync()
                            .executeWithPage(
                                    NvmOpcode.DATASET_MANAGEMENT,
                                    nsid,
                                    page -> DsmRange.put(page.segment(), 0, from, now),
                                    cdws);
            check(NvmOpcode.DATASET_MANAGEMENT, from, now, status);
        }
    }

    /** Writes the volatile write cache to the medium (Flush). */
    public void flush() {
        checkUsable();
        check(NvmOpcode.FLUSH, 0, 0, host.sync().execute(NvmOpcode.FLUSH, nsid, 0, 0, 0, 0));
    }

    private void execute(int opcode, long bus, int bytes, long lba, int cdw12) {
        int status = host.sync().execute(opcode, nsid, bus, bytes, lba, cdw12);
        check(opcode, lba, cdw12 + 1L, status);
    }

    private void check(int opcode, long lba, long blocks, int status) {
        if (!Status.isSuccess(status)) {
            throw new NvmeStatusException(
                    name(),
                    blocks == 0
                            ? NvmOpcode.name(opcode)
                            : "%s of %d blocks at %d"
                                    .formatted(NvmOpcode.name(opcode), blocks, lba),
                    status);
        }
    }

    private void checkSupported(int opcode, boolean supported) {
        if (!supported) {
            throw unsupported(
                    "a controller without the command %s".formatted(NvmOpcode.name(opcode)),
                    "do without the command, or use another device");
        }
    }

    private void checkWritable() {
        checkUsable();
        String reason = readOnlyReason();
        if (reason != null) {
            throw PeerlaneException.machine(
                    "namespace-read-only",
                    name() + " can't be written: " + reason,
                    "lift the write protection, or use another namespace");
        }
    }

    private void checkRange(long lba, long blocks) {
        long count = blockCount();
        if (lba < 0 || blocks < 0 || blocks > count || lba > count - blocks) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "%s: %d blocks at %d exceed its %d blocks"
                            .formatted(name(), blocks, lba, count),
                    "name a range inside the namespace");
        }
    }
}
