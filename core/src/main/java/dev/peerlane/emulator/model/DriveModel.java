package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.Vs;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An emulated NVMe drive: a PCI function with one controller.
 *
 * @param name the name in locators: letters, digits, dash, underscore, dot
 * @param namespaces the namespaces; the first one has NSID 1
 * @param serial serial number, at most 20 ASCII characters
 * @param model model number, at most 40 ASCII characters
 * @param controllerId CNTLID
 * @param mdts Maximum Data Transfer Size: 2^mdts pages of 4 KiB, 0 for no limit
 * @param maxQueueEntries entries of the longest I/O queue, 2 to 65,536
 * @param ioQueues number of I/O submission queues, and of I/O completion queues
 * @param doorbellStride CAP.DSTRD: doorbells are 4 &lt;&lt; doorbellStride bytes apart
 * @param compare whether the drive supports Compare
 * @param volatileWriteCache whether the drive has a volatile write cache
 * @param sgls the SGLs that the drive supports for the data of I/O commands, besides PRPs
 * @param doorbellBuffer whether the drive supports shadow doorbells (Doorbell Buffer Config)
 * @param bytesPerSecond rate of the medium, 0 for no limit
 * @param latencyNanos shortest time of an I/O command; up to a quarter is added at random
 * @param cmb the controller memory buffer, or null
 */
public record DriveModel(
        String name,
        List<NamespaceModel> namespaces,
        String serial,
        String model,
        int controllerId,
        int mdts,
        int maxQueueEntries,
        int ioQueues,
        int doorbellStride,
        boolean compare,
        boolean volatileWriteCache,
        Sgls sgls,
        boolean doorbellBuffer,
        long bytesPerSecond,
        long latencyNanos,
        @Nullable CmbModel cmb) {

    /** The SGLs that a drive supports (Identify's SGLS bits 1:0). */
    public enum Sgls {
        /** No SGLs. */
        NONE,
        /** Data blocks of any address and length. */
        BYTES,
        /** Data blocks whose addresses and lengths are multiples of 4. */
        DWORDS
    }

    /** The prefix of the locators of emulated drives. */
    public static final String LOCATOR_PREFIX = "emu:";

    /** The PCI vendor ID of all emulated functions; it is not assigned to anyone. */
    public static final int VENDOR_ID = 0x5045;

    private static final long MDTS_UNIT_BYTES = 4096;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    /** Checks the ranges and copies the list. */
    public DriveModel {
        namespaces = List.copyOf(namespaces);
        if (!NAME.matcher(name).matches()) {
            throw bad(name, "has that name", "Use letters, digits, dash, underscore and dot");
        }
        require(!namespaces.isEmpty(), name, "has no namespace", "Give it a size or an image");
        require(
                serial.length() <= 20,
                name,
                "has serial '" + serial + "'",
                "Use at most 20 characters");
        require(
                model.length() <= 40,
                name,
                "has model '" + model + "'",
                "Use at most 40 characters");
        require(ascii(serial + model), name, "has a serial or model beyond ASCII", "Use ASCII");
        require(
                controllerId >= 0 && controllerId <= 0xffef,
                name,
                "has cntlid " + controllerId,
                "Use 0 to 65519");
        require(mdts >= 0 && mdts <= 16, name, "has mdts " + mdts, "Use 0 (none) to 16");
        require(
                maxQueueEntries >= 2 && maxQueueEntries <= 65_536,
                name,
                "has maxQueueEntries " + maxQueueEntries,
                "Use 2 to 65536");
        require(
                ioQueues >= 1 && ioQueues <= 1024,
                name,
                "has ioQueues " + ioQueues,
                "Use 1 to 1024");
        require(
                doorbellStride >= 0 && doorbellStride <= 10,
                name,
                "has doorbellStride " + doorbellStride,
                "Use 0 to 10");
        require(
                !doorbellBuffer || (8L * (ioQueues + 1)) << doorbellStride <= 4096,
                name,
                "has doorbellBuffer, and more doorbells than a page holds",
                "Use fewer ioQueues or a smaller doorbellStride");
        require(bytesPerSecond >= 0, name, "has bytesPerSecond " + bytesPerSecond, "Use 0 or more");
        require(latencyNanos >= 0, name, "has latencyNanos " + latencyNanos, "Use 0 or more");
    }

    /** Returns the locator of the drive in a fabric. */
    public String locator() {
        return LOCATOR_PREFIX + name;
    }

    /** Returns a builder with defaults for everything but the namespaces. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Returns the version of the specification that the controller follows. */
    public Vs version() {
        return cmb == null ? Vs.of(1, 4, 0) : cmb.version().vs();
    }

    /** Returns the longest transfer of one command. */
    public long maxTransferBytes() {
        return mdts == 0 ? Long.MAX_VALUE : MDTS_UNIT_BYTES << mdts;
    }

    private static boolean ascii(String text) {
        return text.chars().allMatch(c -> c >= 0x20 && c < 0x7f);
    }

    private static void require(boolean right, String name, String what, String remedy) {
        if (!right) {
            throw bad(name, what, remedy);
        }
    }

    private static PeerlaneException bad(String name, String what, String remedy) {
        return PeerlaneException.request("bad-fabric", "drive '" + name + "' " + what, remedy);
    }

    /** Builds a {@link DriveModel}. The methods return the builder itself. */
    public static final class Builder {
        private final String name;
        private final List<NamespaceModel> namespaces = new ArrayList<>();
        private String serial;
        private String model = "Peerlane Emulated NVMe";
        private int controllerId;
        private int mdts = 5;
        private int maxQueueEntries = 1024;
        private int ioQueues = 16;
        private int doorbellStride;
        private boolean compare = true;
        private boolean volatileWriteCache = true;
        private Sgls sgls = Sgls.NONE;
        private boolean doorbellBuffer;
        private long bytesPerSecond;
        private long latencyNanos;
        private @Nullable CmbModel cmb;

        private Builder(String name) {
            this.name = name;
            this.serial = "EMU-" + name.substring(0, Math.min(name.length(), 16));
        }

        /** Adds a namespace; the first one has NSID 1. */
        public Builder namespace(NamespaceModel namespace) {
            namespaces.add(namespace);
            return this;
        }

        /** Adds a namespace in memory. */
        public Builder memory(long sizeBytes, int blockBytes) {
            return namespace(NamespaceModel.memory(sizeBytes, blockBytes));
        }

        /** Sets the serial number; the default is {@code EMU-} and the name. */
        public Builder serial(String serial) {
            this.serial = serial;
            return this;
        }

        /** Sets the model number. */
        public Builder model(String model) {
            this.model = model;
            return this;
        }

        /** Sets CNTLID; the default is 0. */
        public Builder controllerId(int controllerId) {
            this.controllerId = controllerId;
            return this;
        }

        /** Sets MDTS; the default is 5 (128 KiB). */
        public Builder mdts(int mdts) {
            this.mdts = mdts;
            return this;
        }

        /** Sets the length of the longest I/O queue; the default is 1024 entries. */
        public Builder maxQueueEntries(int maxQueueEntries) {
            this.maxQueueEntries = maxQueueEntries;
            return this;
        }

        /** Sets the number of I/O queues of each kind; the default is 16. */
        public Builder ioQueues(int ioQueues) {
            this.ioQueues = ioQueues;
            return this;
        }

        /** Sets CAP.DSTRD; the default is 0. */
        public Builder doorbellStride(int doorbellStride) {
            this.doorbellStride = doorbellStride;
            return this;
        }

        /** Sets whether the drive supports Compare; the default is true. */
        public Builder compare(boolean compare) {
            this.compare = compare;
            return this;
        }

        /** Sets whether the drive has a volatile write cache; the default is true. */
        public Builder volatileWriteCache(boolean volatileWriteCache) {
            this.volatileWriteCache = volatileWriteCache;
            return this;
        }

        /** Sets the supported SGLs; the default is none. */
        public Builder sgls(Sgls sgls) {
            this.sgls = sgls;
            return this;
        }

        /** Sets whether the drive supports shadow doorbells; the default is false. */
        public Builder doorbellBuffer(boolean doorbellBuffer) {
            this.doorbellBuffer = doorbellBuffer;
            return this;
        }

        /** Sets the rate of the medium; the default is no limit. */
        public Builder bytesPerSecond(long bytesPerSecond) {
            this.bytesPerSecond = bytesPerSecond;
            return this;
        }

        /** Sets the shortest time of an I/O command; up to a quarter is added. The default is 0. */
        public Builder latencyNanos(long latencyNanos) {
            this.latencyNanos = latencyNanos;
            return this;
        }

        /** Sets the controller memory buffer; the default is none. */
        public Builder cmb(@Nullable CmbModel cmb) {
            this.cmb = cmb;
            return this;
        }

        /**
         * Returns the drive.
         *
         * @throws PeerlaneException of category REQUEST if a value is out of range
         */
        public DriveModel build() {
            return new DriveModel(
                    name,
                    namespaces,
                    serial,
                    model,
                    controllerId,
                    mdts,
                    maxQueueEntries,
                    ioQueues,
                    doorbellStride,
                    compare,
                    volatileWriteCache,
                    sgls,
                    doorbellBuffer,
                    bytesPerSecond,
                    latencyNanos,
                    cmb);
        }
    }
}
