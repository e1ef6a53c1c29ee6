package dev.peerlane.vfio;

import dev.peerlane.linux.SystemRoot;

/**
 * Options for opening devices through VFIO.
 *
 * @param api which of the kernel's two interfaces to use
 * @param hugePages whether DMA memory may come from the pool of huge pages
 * @param resetOnOpen whether a function that supports a reset is reset when it is opened
 * @param enableUnsafeNoIommuMode whether devices may be opened in the kernel's mode without an
 *     IOMMU, where a bug in the driver or in a device can overwrite any memory of the machine
 * @param system the sysfs and procfs of the devices' machine
 */
public record VfioOptions(
        Api api,
        boolean hugePages,
        boolean resetOnOpen,
        boolean enableUnsafeNoIommuMode,
        SystemRoot system) {
    /** The kernel's interfaces to devices. */
    public enum Api {
        /**
         * Containers if {@code /dev/vfio/vfio} is not iommufd's compatibility layer, else iommufd.
         */
        AUTO,
        /** Containers and groups: {@code /dev/vfio/vfio} with the type 1 IOMMU. */
        CONTAINER,
        /** {@code /dev/iommu} and {@code /dev/vfio/devices}. */
        IOMMUFD
    }

    /** The default: detects the interface, allows huge pages, and resets functions on open. */
    public static final VfioOptions DEFAULTS =
            new VfioOptions(Api.AUTO, true, true, false, SystemRoot.LOCAL);

    /** Returns these options with another interface. */
    public VfioOptions withApi(Api other) {
        return new VfioOptions(other, hugePages, resetOnOpen, enableUnsafeNoIommuMode, system);
    }

    /** Returns these options with or without huge pages. */
    public VfioOptions withHugePages(boolean allowed) {
        return new VfioOptions(api, allowed, resetOnOpen, enableUnsafeNoIommuMode, system);
    }

    /** Returns these options for another machine. */
    public VfioOptions withSystem(SystemRoot other) {
        return new VfioOptions(api, hugePages, resetOnOpen, enableUnsafeNoIommuMode, other);
    }

    /** Returns these options with the kernel's mode without an IOMMU allowed. */
    public VfioOptions withUnsafeNoIommuMode() {
        return new VfioOptions(api, hugePages, resetOnOpen, true, system);
    }
}
