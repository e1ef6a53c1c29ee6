package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.Vs;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One emulated NVMe drive: a PCI function with one controller.
 *
 * @param name what a locator calls it: letters, digits, dash, underscore, dot
 * @param namespaces its namespaces; NSIDs count from 1
 * @param serial serial number, at most 20 ASCII characters
 * @param model model number, at most 40 ASCII characters
 * @param controllerId CNTLID
 * @param mdts Maximum Data Transfer Size: 2^mdts pages of 4 KiB, 0 for no limit
 * @param maxQueueEntries entries of the longest I/O queue, 2 to 65,536
 * @param ioQueues how many I/O submission queues it has, and as many completion queues
 * @param doorbellStride CAP.DSTRD: doorbells are 4 &lt;&lt; doorbellStride bytes apart
 * @param compare whether it supports Compare
 * @param volatileWriteCache whether it has a volatile write cache
 * @param sgls which SGLs it takes for the data of I/O commands, beside PRPs
 * @param doorbellBuffer whether it takes shadow doorbells (Doorbell Buffer Config)
 * @param bytesPerSecond how fast its medium is, 0 for no limit
 * @param latencyNanos how long every I/O command takes at least; up to a quarter more, at random
 * @param cmb its controller memory buffer, or null
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

    /** Which SGLs a drive takes (Identify's SGLS bits 1:0). */
    public enum Sgls {
        /** None. */
        NONE,
        /** Data blocks of any address and length. */
        BYTES,
        /** Data blocks whose addresses and lengths are multiples of 4. */
        DWORDS
    }

    /** What the locators of emulated drives begin with. */
    public static final String LOCATOR_PREFIX = "emu:";

    /** PCI vendor of everything emulated; assigned to nobody. */
    public static final int VENDOR_ID = 0x5045;

    private static final long MDTS_UNIT_BYTES = 4096;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    /** Checks the ranges and keeps its own copy of the list. */
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
                "At most 20 characters");
        require(model.length() <= 40, name, "has model '" + model + "'", "At most 40 characters");
        require(ascii(serial + model), name, "has a serial or model beyond ASCII", "Use ASCII");
        require(controllerId >= 0 && controllerId <= 0xffef, name, "cntlid", "Take 0 to 65519");
        require(mdts >= 0 && mdts <= 16, name, "has mdts " + mdts, "Take 0 (none) to 16");
        require(
                maxQueueEntries >= 2 && maxQueueEntries <= 65_536,
                name,
                "has maxQueueEntries " + maxQueueEntries,
                "Take 2 to 65536");
        require(
                ioQueues >= 1 && ioQueues <= 1024,
                name,
                "has ioQueues " + ioQueues,
                "Take 1 to 1024");
        require(
                doorbellStride >= 0 && doorbellStride <= 10,
                name,
                "has doorbellStride " + doorbellStride,
                "Take 0 to 10");
        require(
                !doorbellBuffer || (8L * (ioQueues + 1)) << doorbellStride <= 4096,
                name,
                "has doorbellBuffer, and more doorbells than a page holds",
                "Take fewer ioQueues or a smaller doorbellStride");
        require(
                bytesPerSecond >= 0,
                name,
                "has bytesPerSecond " + bytesPerSecond,
                "Take 0 or more");
        require(latencyNanos >= 0, name, "has latencyNanos " + latencyNanos, "Take 0 or more");
    }

    /** Returns the locator under which a fabric opens it. */
    public String locator() {
        return LOCATOR_PREFIX + name;
    }

    /** Starts a drive with defaults for everything but its namespaces. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Returns the version of the specification that its controller follows. */
    public Vs version() {
        return cmb == null ? Vs.of(1, 4, 0) : cmb.version().vs();
    }

    /** Returns the most bytes that one command moves. */
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

    /** Collects what a drive is to be. Each method answers the builder itself. */
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

        /** Sets how long an I/O queue can be; the default is 1024 entries. */
        public Builder maxQueueEntries(int maxQueueEntries) {
            this.maxQueueEntries = maxQueueEntries;
            return this;
        }

        /** Sets how many I/O queues there are of each kind; the default is 16. */
        public Builder ioQueues(int ioQueues) {
            this.ioQueues = ioQueues;
            return this;
        }

        /** Sets CAP.DSTRD; the default is 0. */
        public Builder doorbellStride(int doorbellStride) {
            this.doorbellStride = doorbellStride;
            return this;
        }

        /** Sets whether it supports Compare; the default is that it does. */
        public Builder compare(boolean compare) {
            this.compare = compare;
            return this;
        }

        /** Sets whether it has a volatile write cache; the default is that it has. */
        public Builder volatileWriteCache(boolean volatileWriteCache) {
            this.volatileWriteCache = volatileWriteCache;
            return this;
        }

        /** Sets which SGLs it takes; the default is none. */
        public Builder sgls(Sgls sgls) {
            this.sgls = sgls;
            return this;
        }

        /** Sets whether it takes shadow doorbells; the default is that it does not. */
        public Builder doorbellBuffer(boolean doorbellBuffer) {
            this.doorbellBuffer = doorbellBuffer;
            return this;
        }

        /** Limits its medium to a rate; the default is no limit. */
        public Builder bytesPerSecond(long bytesPerSecond) {
            this.bytesPerSecond = bytesPerSecond;
            return this;
        }

        /**
         * Sets how long every I/O command takes at least, and at most a quarter more; default 0.
         */
        public Builder latencyNanos(long latencyNanos) {
            this.latencyNanos = latencyNanos;
            return this;
        }

        /** Gives it a controller memory buffer; the default is none. */
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
