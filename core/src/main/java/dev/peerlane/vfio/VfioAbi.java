package dev.peerlane.vfio;

import dev.peerlane.linux.Request;

/** Numbers, flags and offsets of {@code linux/vfio.h}, for containers, groups and devices. */
final class VfioAbi {
    private static final char TYPE = ';';
    private static final int BASE = 100;

    static final Request GET_API_VERSION = request("VFIO_GET_API_VERSION", 0);
    static final Request CHECK_EXTENSION = request("VFIO_CHECK_EXTENSION", 1);
    static final Request SET_IOMMU = request("VFIO_SET_IOMMU", 2);
    static final Request GROUP_GET_STATUS = request("VFIO_GROUP_GET_STATUS", 3);
    static final Request GROUP_SET_CONTAINER = request("VFIO_GROUP_SET_CONTAINER", 4);
    static final Request GROUP_GET_DEVICE_FD = request("VFIO_GROUP_GET_DEVICE_FD", 6);
    static final Request DEVICE_GET_INFO = request("VFIO_DEVICE_GET_INFO", 7);
    static final Request DEVICE_GET_REGION_INFO = request("VFIO_DEVICE_GET_REGION_INFO", 8);
    static final Request DEVICE_GET_IRQ_INFO = request("VFIO_DEVICE_GET_IRQ_INFO", 9);
    static final Request DEVICE_SET_IRQS = request("VFIO_DEVICE_SET_IRQS", 10);
    static final Request DEVICE_RESET = request("VFIO_DEVICE_RESET", 11);
    static final Request IOMMU_GET_INFO = request("VFIO_IOMMU_GET_INFO", 12);
    static final Request IOMMU_MAP_DMA = request("VFIO_IOMMU_MAP_DMA", 13);
    static final Request IOMMU_UNMAP_DMA = request("VFIO_IOMMU_UNMAP_DMA", 14);
    static final Request DEVICE_FEATURE = request("VFIO_DEVICE_FEATURE", 17);
    static final Request DEVICE_BIND_IOMMUFD = request("VFIO_DEVICE_BIND_IOMMUFD", 18);
    static final Request DEVICE_ATTACH_IOMMUFD_PT = request("VFIO_DEVICE_ATTACH_IOMMUFD_PT", 19);

    static final int API_VERSION = 0;
    static final int TYPE1V2_IOMMU = 3;
    static final int NOIOMMU_IOMMU = 8;

    /**
     * Offset of argsz, the structure's size, with which every structure begins; the flags follow.
     */
    static final int ARGSZ = 0;

    static final int FLAGS = 4;

    /** struct vfio_info_cap_header: id (2 bytes), version (2), offset of the next (4). */
    static final class Capability {
        static final int ID = 0;
        static final int NEXT = 4;
        static final int BYTES = 8;

        private Capability() {}
    }

    /** struct vfio_group_status: argsz, flags. */
    static final class GroupStatus {
        static final int BYTES = 8;
        static final int VIABLE = 1;
        static final int CONTAINER_SET = 1 << 1;

        private GroupStatus() {}
    }

    /** struct vfio_device_info: argsz, flags, num_regions, num_irqs, cap_offset. */
    static final class DeviceInfo {
        static final int NUM_REGIONS = 8;
        static final int NUM_IRQS = 12;
        static final int BYTES = 20;
        static final int RESET = 1;
        static final int PCI = 1 << 1;

        private DeviceInfo() {}
    }

    /** struct vfio_region_info: argsz, flags, index, cap_offset, size (8 bytes), offset (8). */
    static final class RegionInfo {
        static final int INDEX = 8;
        static final int CAP_OFFSET = 12;
        static final int SIZE = 16;
        static final int OFFSET = 24;
        static final int BYTES = 32;
        static final int READ = 1;
        static final int WRITE = 1 << 1;
        static final int MMAP = 1 << 2;
        static final int CAPS = 1 << 3;

        /** Index of the configuration space. */
        static final int CONFIG = 7;

        /**
         * Capability: nr_areas at offset 8; from offset 16, pairs of an offset and a size, 8 bytes
         * each.
         */
        static final int CAP_SPARSE_MMAP = 1;

        static final int SPARSE_COUNT = 8;
        static final int SPARSE_AREAS = 16;
        static final int SPARSE_AREA_BYTES = 16;

        /** Capability: the pages of the MSI-X table may be mapped as well. */
        static final int CAP_MSIX_MAPPABLE = 3;

        private RegionInfo() {}
    }

    /** struct vfio_irq_info: argsz, flags, index, count. */
    static final class IrqInfo {
        static final int INDEX = 8;
        static final int COUNT = 12;
        static final int BYTES = 16;
        static final int EVENTFD = 1;
        static final int MSIX = 2;

        private IrqInfo() {}
    }

    /** struct vfio_irq_set: argsz, flags, index, start, count, then 4 bytes for each eventfd. */
    static final class IrqSet {
        static final int INDEX = 8;
        static final int START = 12;
        static final int COUNT = 16;
        static final int DATA = 20;
        static final int DATA_NONE = 1;
        static final int DATA_EVENTFD = 1 << 2;
        static final int ACTION_TRIGGER = 1 << 5;

        private IrqSet() {}
    }

    /** struct vfio_iommu_type1_info: argsz, flags, iova_pgsizes (8 bytes), cap_offset. */
    static final class IommuInfo {
        static final int PAGE_SIZES = 8;
        static final int CAP_OFFSET = 16;
        static final int BYTES = 24;
        static final int HAS_PAGE_SIZES = 1;
        static final int CAPS = 1 << 1;

        /**
         * Capability: nr_iovas at offset 8; from offset 16, pairs of a first and a last address, 8
         * bytes each.
         */
        static final int CAP_IOVA_RANGE = 1;

        static final int RANGE_COUNT = 8;
        static final int RANGES = 16;
        static final int RANGE_BYTES = 16;

        /** Capability: number of further mappings allowed, at offset 8. */
        static final int CAP_DMA_AVAIL = 3;

        static final int AVAILABLE = 8;

        private IommuInfo() {}
    }

    /** struct vfio_iommu_type1_dma_map: argsz, flags, vaddr, iova, size (8 bytes each). */
    static final class DmaMap {
        static final int VADDR = 8;
        static final int IOVA = 16;
        static final int SIZE = 24;
        static final int BYTES = 32;
        static final int READ = 1;
        static final int WRITE = 1 << 1;

        private DmaMap() {}
    }

    /** struct vfio_iommu_type1_dma_unmap: argsz, flags, iova, size (8 bytes each). */
    static final class DmaUnmap {
        static final int IOVA = 8;
        static final int SIZE = 16;
        static final int BYTES = 24;

        private DmaUnmap() {}
    }

    private VfioAbi() {}

    private static Request request(String name, int number) {
        return Request.io(name, TYPE, BASE + number);
    }
}
