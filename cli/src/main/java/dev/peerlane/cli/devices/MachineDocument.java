package dev.peerlane.cli.devices;

import dev.peerlane.binding.Inventory.BlockDevice;
import dev.peerlane.binding.Inventory.Drive;
import dev.peerlane.pci.Link;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON document of {@code list}: the NVMe functions of this machine and the built-in devices.
 */
record MachineDocument(String schema, List<NvmeFunction> functions, List<String> builtIn) {
    static final String SCHEMA = "peerlane.machine/1";

    static MachineDocument of(List<Drive> drives, List<String> builtIn) {
        return new MachineDocument(SCHEMA, drives.stream().map(NvmeFunction::of).toList(), builtIn);
    }

    /** A function. Unknown values are null. */
    record NvmeFunction(
            String address,
            @Nullable String driver,
            @Nullable String model,
            @Nullable String serial,
            @Nullable String firmware,
            @Nullable Long capacityBytes,
            @Nullable Integer iommuGroup,
            @Nullable Integer numaNode,
            @Nullable LinkState link,
            @Nullable Long cmbBytes,
            @Nullable Long cmbLimitBytes,
            @Nullable Long pmrLimitBytes,
            List<BlockDevice> disks,
            List<String> inUse) {
        static NvmeFunction of(Drive d) {
            Link link = d.link();
            return new NvmeFunction(
                    d.bdf().toString(),
                    d.driver(),
                    d.model(),
                    d.serial(),
                    d.firmware(),
                    d.model() == null ? null : d.capacityBytes(),
                    d.iommuGroup() < 0 ? null : d.iommuGroup(),
                    d.numaNode() < 0 ? null : d.numaNode(),
                    link == null ? null : new LinkState(link.now(), link.best()),
                    d.cmbBytes().isPresent() ? d.cmbBytes().getAsLong() : null,
                    d.cmbLimitBytes() == 0 ? null : d.cmbLimitBytes(),
                    d.cmbLimitBytes() == 0 ? null : d.pmrLimitBytes(),
                    d.namespaces(),
                    d.inUse());
        }
    }

    /** The current and the best speed and width of a link. */
    record LinkState(String now, String best) {}
}
