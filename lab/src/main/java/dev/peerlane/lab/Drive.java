package dev.peerlane.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Describes an NVMe controller of a {@link Qemu} machine. Its name is its serial number. The
 * description can be changed until the machine starts.
 */
public final class Drive {
    /** The sector size in bytes for {@link #readError} and {@link #writeError}. */
    public static final int SECTOR_BYTES = 512;

    private final String name;
    private long sizeBytes = 16L << 20;
    private @Nullable Path image;
    private @Nullable String switchName;
    private @Nullable String outerSwitchName;
    private @Nullable String portName;
    private @Nullable String subsystem;
    private int hostBridgeBus;
    private boolean acs = true;
    private int blockBytes = SECTOR_BYTES;
    private int cmbMib;
    private int pmrMib;
    private int iops;
    private int maxTransferExponent = -1;
    private final List<String> errors = new ArrayList<>();

    private Drive(String name) {
        if (!name.matches("[a-z][a-z0-9]{0,15}")) {
            throw new IllegalArgumentException("no name for a drive: " + name);
        }
        this.name = name;
    }

    /** Creates a drive of 16 MiB with blocks of 512 bytes and no CMB, on its own root port. */
    public static Drive named(String name) {
        return new Drive(name);
    }

    /** Sets its capacity. Without {@link #image}, a sparse file of that length is created. */
    public Drive sizeMib(int mebibytes) {
        sizeBytes = (long) mebibytes << 20;
        return this;
    }

    /** Uses an existing raw image, whose length is the capacity. */
    public Drive image(Path file) {
        image = file;
        return this;
    }

    /** Places it below a downstream port of a switch. Drives that name the same switch share it. */
    public Drive behindSwitch(String name) {
        switchName = name;
        return this;
    }

    /** Places it below a switch that is below a downstream port of another switch. */
    public Drive behindSwitch(String inner, String outer) {
        outerSwitchName = outer;
        return behindSwitch(inner);
    }

    /** Makes it a function of one device with all drives that name the same root port. */
    public Drive functionBelow(String port) {
        portName = port;
        return this;
    }

    /**
     * Makes it a controller of an NVM subsystem. Controllers of the same subsystem share a serial
     * number, which is the subsystem's name, and can share namespaces.
     */
    public Drive inSubsystem(String name) {
        subsystem = name;
        return this;
    }

    /** Removes ACS from the root port above it, so that everything below is in one IOMMU group. */
    public Drive withoutAcs() {
        acs = false;
        return this;
    }

    /** Places its root port below its own host bridge with a given bus number. */
    public Drive onHostBridge(int busNumber) {
        hostBridgeBus = busNumber;
        return this;
    }

    /** Sets the length of a logical block. */
    public Drive blockBytes(int bytes) {
        blockBytes = bytes;
        return this;
    }

    /** Adds a controller memory buffer in BAR2; the size is a power of two. */
    public Drive cmbMib(int mebibytes) {
        cmbMib = mebibytes;
        return this;
    }

    /** Adds a persistent memory region in BAR4; the size is a power of two. */
    public Drive pmrMib(int mebibytes) {
        pmrMib = mebibytes;
        return this;
    }

    /** Sets MDTS. The longest transfer is 4 KiB shifted left by it; 0 means no limit. */
    public Drive maxTransferExponent(int mdts) {
        maxTransferExponent = mdts;
        return this;
    }

    /** Makes every read of a sector of {@link #SECTOR_BYTES} fail. */
    public Drive readError(long sector) {
        return error("read", sector);
    }

    /** Makes every write of a sector of {@link #SECTOR_BYTES} fail. */
    public Drive writeError(long sector) {
        return error("write", sector);
    }

    /** Limits the number of commands per second. */
    public Drive iops(int perSecond) {
        iops = perSecond;
        return this;
    }

    private Drive error(String type, long sector) {
        String prefix = "inject-error." + errors.size();
        // EIO is 5. A rule with event "none" fails requests by kind, not at a step of the image
        // format.
        errors.add(
                "%1$s.event=none,%1$s.iotype=%2$s,%1$s.errno=5,%1$s.sector=%3$d"
                        .formatted(prefix, type, sector));
        return this;
    }

    /** Returns its name, which is also its serial number. */
    public String name() {
        return name;
    }

    @Nullable String switchName() {
        return switchName;
    }

    @Nullable String outerSwitchName() {
        return outerSwitchName;
    }

    @Nullable String portName() {
        return portName;
    }

    @Nullable String subsystem() {
        return subsystem;
    }

    boolean acs() {
        return acs;
    }

    int hostBridgeBus() {
        return hostBridgeBus;
    }

    @Nullable Path image() {
        return image;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    int pmrMib() {
        return pmrMib;
    }

    /** Returns QEMU's arguments for the image and the controller. */
    List<String> arguments(Path file, @Nullable Path pmr, String bus) {
        List<String> arguments = new ArrayList<>();
        String top = "file-" + name;
        add(
                arguments,
                "-blockdev",
                "driver=file,node-name=%s,filename=%s,discard=unmap,aio=threads"
                        .formatted(top, escape(file)));
        if (!errors.isEmpty()) {
            add(
                    arguments,
                    "-blockdev",
                    "driver=blkdebug,node-name=debug-%s,image=%s,%s"
                            .formatted(name, top, String.join(",", errors)));
            top = "debug-" + name;
        }
        if (iops > 0) {
            add(
                    arguments,
                    "-object",
                    "throttle-group,id=group-%s,x-iops-total=%d".formatted(name, iops));
            add(
                    arguments,
                    "-blockdev",
                    "driver=throttle,node-name=slow-%1$s,throttle-group=group-%1$s,file=%2$s"
                            .formatted(name, top));
            top = "slow-" + name;
        }
        add(
                arguments,
                "-blockdev",
                "driver=raw,node-name=disk-%s,discard=unmap,file=%s".formatted(name, top));
        if (pmr != null) {
            add(
                    arguments,
                    "-object",
                    "memory-backend-file,id=pmr-%s,size=%dM,mem-path=%s,share=on"
                            .formatted(name, pmrMib, escape(pmr)));
        }
        add(arguments, "-device", device(pmr != null, bus));
        if (subsystem != null) {
            // a namespace with its own number, shared with the subsystem's other controllers
            String shared = "nvme-ns,bus=nvme-%s,shared=on%s".formatted(name, namespace());
            add(arguments, "-device", shared);
        }
        return arguments;
    }

    private String device(boolean withPmr, String bus) {
        StringBuilder text = new StringBuilder();
        text.append(
                "nvme,id=nvme-%s,serial=%s,bus=%s"
                        .formatted(name, subsystem == null ? name : subsystem, bus));
        if (subsystem != null) {
            text.append(",subsys=").append(subsystem);
        } else {
            text.append(namespace());
        }
        if (cmbMib > 0) {
            text.append(",cmb_size_mb=").append(cmbMib);
        }
        if (maxTransferExponent >= 0) {
            text.append(",mdts=").append(maxTransferExponent);
        }
        if (withPmr) {
            text.append(",pmrdev=pmr-").append(name);
        }
        return text.toString();
    }

    private String namespace() {
        return ",drive=disk-%1$s,logical_block_size=%2$d,physical_block_size=%2$d"
                .formatted(name, blockBytes);
    }

    /** Escapes commas, which are doubled in QEMU's option values. */
    static String escape(Path path) {
        return path.toString().replace(",", ",,");
    }

    private static void add(List<String> arguments, String option, String value) {
        arguments.add(option);
        arguments.add(value);
    }
}
