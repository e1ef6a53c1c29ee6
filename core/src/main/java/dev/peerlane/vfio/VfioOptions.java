package dev.peerlane.vfio;

import dev.peerlane.linux.SystemRoot;

/**
 * How devices are opened.
 *
 * @param api which of the kernel's two interfaces is used
 * @param hugePages whether DMA memory may come from the pool of huge pages
 * @param resetOnOpen whether a function that can is reset when it is opened
 * @param enableUnsafeNoIommuMode whether devices may be opened in the kernel's mode without an
 *     IOMMU, where a mistake of ours or of a device can overwrite any memory of the machine
 * @param system the machine that they are of
 */
public record VfioOptions(
        Api api,
        boolean hugePages,
        boolean resetOnOpen,
        boolean enableUnsafeNoIommuMode,
        SystemRoot system) {
    /** The kernel's interfaces to devices. */
    public enum Api {
        /** Containers where {@code /dev/vfio/vfio} is the original, else iommufd. */
        AUTO,
        /** Containers and groups: {@code /dev/vfio/vfio} with the type 1 IOMMU. */
        CONTAINER,
        /** {@code /dev/iommu} and {@code /dev/vfio/devices}. */
        IOMMUFD
    }

    /** Everything found out, everything reset. */
    public static final VfioOptions DEFAULTS =
            new VfioOptions(Api.AUTO, true, true, false, SystemRoot.LOCAL);

    /** Returns these with another interface. */
    public VfioOptions withApi(Api other) {
        return new VfioOptions(other, hugePages, resetOnOpen, enableUnsafeNoIommuMode, system);
    }

    /** Returns these with or without huge pages. */
    public VfioOptions withHugePages(boolean allowed) {
        return new VfioOptions(api, allowed, resetOnOpen, enableUnsafeNoIommuMode, system);
    }

    /** Returns these for another machine. */
    public VfioOptions withSystem(SystemRoot other) {
        return new VfioOptions(api, hugePages, resetOnOpen, enableUnsafeNoIommuMode, other);
    }

    /** Returns these, with the mode without an IOMMU let through. */
    public VfioOptions withUnsafeNoIommuMode() {
        return new VfioOptions(api, hugePages, resetOnOpen, true, system);
    }
}
