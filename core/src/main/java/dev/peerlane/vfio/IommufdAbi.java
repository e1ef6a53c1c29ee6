package dev.peerlane.vfio;

import dev.peerlane.linux.Request;

/** Numbers, flags and offsets of {@code linux/iommufd.h}, and of VFIO's part of it. */
final class IommufdAbi {
    private static final char TYPE = ';';

    static final Request IOAS_ALLOC = Request.io("IOMMU_IOAS_ALLOC", TYPE, 0x81);
    static final Request IOAS_IOVA_RANGES = Request.io("IOMMU_IOAS_IOVA_RANGES", TYPE, 0x84);
    static final Request IOAS_MAP = Request.io("IOMMU_IOAS_MAP", TYPE, 0x85);
    static final Request IOAS_UNMAP = Request.io("IOMMU_IOAS_UNMAP", TYPE, 0x86);
    static final Request VFIO_IOAS = Request.io("IOMMU_VFIO_IOAS", TYPE, 0x88);
    static final Request IOAS_MAP_FILE = Request.io("IOMMU_IOAS_MAP_FILE", TYPE, 0x8f);

    /** Offset of the size, with which every structure of iommufd begins. */
    static final int SIZE = 0;

    /** struct iommu_ioas_alloc: size, flags, out_ioas_id. */
    static final class IoasAlloc {
        static final int ID = 8;
        static final int BYTES = 12;

        private IoasAlloc() {}
    }

    /** struct iommu_ioas_iova_ranges: size, ioas_id, num_iovas, reserved, pointer, alignment. */
    static final class IovaRanges {
        static final int ID = 4;
        static final int COUNT = 8;
        static final int POINTER = 16;
        static final int ALIGNMENT = 24;
        static final int BYTES = 32;
        static final int RANGE_BYTES = 16;

        private IovaRanges() {}
    }

    /** struct iommu_ioas_map: size, flags, ioas_id, reserved, user_va, length, iova. */
    static final class Map {
        static final int FLAGS = 4;
        static final int ID = 8;
        static final int ADDRESS = 16;
        static final int LENGTH = 24;
        static final int IOVA = 32;
        static final int BYTES = 40;
        static final int FIXED_IOVA = 1;
        static final int WRITEABLE = 1 << 1;
        static final int READABLE = 1 << 2;

        private Map() {}
    }

    /**
     * struct iommu_ioas_map_file: as {@link Map}, with a file descriptor and an offset in the file.
     */
    static final class MapFile {
        static final int FD = 12;
        static final int START = 16;

        private MapFile() {}
    }

    /** struct iommu_ioas_unmap: size, ioas_id, iova, length. */
    static final class Unmap {
        static final int ID = 4;
        static final int IOVA = 8;
        static final int LENGTH = 16;
        static final int BYTES = 24;

        private Unmap() {}
    }

    /** struct iommu_vfio_ioas: size, ioas_id, op (0 is VFIO_IOAS_GET), reserved. */
    static final class VfioIoas {
        static final int BYTES = 12;

        private VfioIoas() {}
    }

    /** struct vfio_device_bind_iommufd: argsz, flags, iommufd, out_devid. */
    static final class Bind {
        static final int IOMMUFD = 8;
        static final int BYTES = 16;

        private Bind() {}
    }

    /** struct vfio_device_attach_iommufd_pt: argsz, flags, pt_id. */
    static final class Attach {
        static final int ID = 8;
        static final int BYTES = 12;

        private Attach() {}
    }

    /**
     * struct vfio_device_feature (argsz, flags), struct vfio_device_feature_dma_buf (region_index,
     * open_flags, flags, nr_ranges) and one struct vfio_region_dma_range (offset, length).
     */
    static final class DmaBuf {
        static final int FEATURE = 11;
        static final int GET = 1 << 16;
        static final int REGION = 8;
        static final int OPEN_FLAGS = 12;
        static final int RANGE_COUNT = 20;
        static final int OFFSET = 24;
        static final int LENGTH = 32;
        static final int BYTES = 40;

        private DmaBuf() {}
    }

    private IommufdAbi() {}
}
