package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.linux.Request;
import org.junit.jupiter.api.Test;

/**
 * Tests request numbers against those that a C program gets from linux/vfio.h and linux/iommufd.h.
 */
class AbiTest {
    private static void assertNumber(Request request, String name, int number) {
        assertThat(request).isEqualTo(new Request(name, number));
    }

    @Test
    void requestsHaveTheNumbersOfTheHeaders() {
        assertNumber(VfioAbi.GET_API_VERSION, "VFIO_GET_API_VERSION", 0x3b64);
        assertNumber(VfioAbi.CHECK_EXTENSION, "VFIO_CHECK_EXTENSION", 0x3b65);
        assertNumber(VfioAbi.SET_IOMMU, "VFIO_SET_IOMMU", 0x3b66);
        assertNumber(VfioAbi.GROUP_GET_STATUS, "VFIO_GROUP_GET_STATUS", 0x3b67);
        assertNumber(VfioAbi.GROUP_SET_CONTAINER, "VFIO_GROUP_SET_CONTAINER", 0x3b68);
        assertNumber(VfioAbi.GROUP_GET_DEVICE_FD, "VFIO_GROUP_GET_DEVICE_FD", 0x3b6a);
        assertNumber(VfioAbi.DEVICE_GET_INFO, "VFIO_DEVICE_GET_INFO", 0x3b6b);
        assertNumber(VfioAbi.DEVICE_GET_REGION_INFO, "VFIO_DEVICE_GET_REGION_INFO", 0x3b6c);
        assertNumber(VfioAbi.DEVICE_GET_IRQ_INFO, "VFIO_DEVICE_GET_IRQ_INFO", 0x3b6d);
        assertNumber(VfioAbi.DEVICE_SET_IRQS, "VFIO_DEVICE_SET_IRQS", 0x3b6e);
        assertNumber(VfioAbi.DEVICE_RESET, "VFIO_DEVICE_RESET", 0x3b6f);
        assertNumber(VfioAbi.IOMMU_GET_INFO, "VFIO_IOMMU_GET_INFO", 0x3b70);
        assertNumber(VfioAbi.IOMMU_MAP_DMA, "VFIO_IOMMU_MAP_DMA", 0x3b71);
        assertNumber(VfioAbi.IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA", 0x3b72);
        assertNumber(VfioAbi.DEVICE_FEATURE, "VFIO_DEVICE_FEATURE", 0x3b75);
        assertNumber(VfioAbi.DEVICE_BIND_IOMMUFD, "VFIO_DEVICE_BIND_IOMMUFD", 0x3b76);
        assertNumber(VfioAbi.DEVICE_ATTACH_IOMMUFD_PT, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", 0x3b77);
        assertNumber(IommufdAbi.IOAS_ALLOC, "IOMMU_IOAS_ALLOC", 0x3b81);
        assertNumber(IommufdAbi.IOAS_IOVA_RANGES, "IOMMU_IOAS_IOVA_RANGES", 0x3b84);
        assertNumber(IommufdAbi.IOAS_MAP, "IOMMU_IOAS_MAP", 0x3b85);
        assertNumber(IommufdAbi.IOAS_UNMAP, "IOMMU_IOAS_UNMAP", 0x3b86);
        assertNumber(IommufdAbi.VFIO_IOAS, "IOMMU_VFIO_IOAS", 0x3b88);
        assertNumber(IommufdAbi.IOAS_MAP_FILE, "IOMMU_IOAS_MAP_FILE", 0x3b8f);
        assertThat(IommufdAbi.DmaBuf.FEATURE | IommufdAbi.DmaBuf.GET).isEqualTo(0x1000b);
    }
}
