package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.VfioAbi.DmaMap;
import dev.peerlane.vfio.VfioAbi.DmaUnmap;
import dev.peerlane.vfio.VfioAbi.IommuInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A container with its groups. It uses the type 1 version 2 IOMMU unless a subclass names another.
 */
class Type1Space extends IoSpace {
    static final String CONTAINER = "/dev/vfio/vfio";

    private static final int MAX_INFO_BYTES = 1 << 16;
    private static final long DEFAULT_MAPPINGS = 65_535;

    final Kernel kernel;
    private final int container;
    private final boolean compatibility;
    private final Map<Integer, VfioGroup> groups = new TreeMap<>();
    private final Map<Bdf, VfioGroup> groupOf = new TreeMap<>();
    private List<Span> ranges = List.of();
    private long pageBytes;
    private long mappingLimit = DEFAULT_MAPPINGS;
    private boolean closed;

    Type1Space(Kernel kernel, int container, boolean compatibility) {
        this.kernel = kernel;
        this.container = container;
        this.compatibility = compatibility;
    }

    /** Opens the container. Returns its descriptor. */
    static int openContainer(Kernel kernel) {
        long fd = kernel.open(CONTAINER, Kernel.O_RDWR | Kernel.O_CLOEXEC);
        String remedy =
                fd == -Errno.EACCES
                        ? "Run as root, or give this user access to " + CONTAINER
                        : "Load the vfio-pci module: modprobe vfio-pci";
        return (int) KernelException.check(fd, "no-vfio", "open", CONTAINER, remedy);
    }

    /**
     * Returns whether the container is iommufd's compatibility layer, which can't map BARs. Only
     * iommufd accepts the request that this sends.
     */
    static boolean isCompatibilityLayer(Kernel kernel, int container) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment query = arena.allocate(IommufdAbi.VfioIoas.BYTES, 8);
            query.set(JAVA_INT, IommufdAbi.SIZE, IommufdAbi.VfioIoas.BYTES);
            long result = kernel.ioctl(container, IommufdAbi.VFIO_IOAS, query);
            return result >= 0 || result == -Errno.ENODEV;
        }
    }

    /**
     * Opens an address space with the groups of some devices.
     *
     * @param container an open descriptor; this method takes ownership, even if it throws
     * @param compatibility whether the container is iommufd's compatibility layer
     * @param system the source of group numbers and drivers
     */
    static Type1Space open(
            Kernel kernel,
            int container,
            boolean compatibility,
            List<Bdf> devices,
            VfioSystem system) {
        return start(new Type1Space(kernel, container, compatibility), devices, system);
    }

    static Type1Space start(Type1Space space, List<Bdf> devices, VfioSystem system) {
        try {
            space.checkVersion();
            for (Bdf bdf : devices) {
                space.join(bdf, system);
            }
            space.readInfo();
            return space;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(space::close).finish(e);
            throw e;
        }
    }

    private void checkVersion() {
        long version =
                KernelException.check(
                        kernel.ioctl(container, VfioAbi.GET_API_VERSION, 0),
                        "no-vfio",
                        VfioAbi.GET_API_VERSION.name(),
                        CONTAINER,
                        "Look whether " + CONTAINER + " is what it should be");
        if (version != VfioAbi.API_VERSION) {
            throw PeerlaneException.machine(
                    "vfio-version",
                    "%s has version %d of its interface, not %d"
                            .formatted(CONTAINER, version, VfioAbi.API_VERSION),
                    "Use another kernel");
        }
        if (kernel.ioctl(container, VfioAbi.CHECK_EXTENSION, iommuType()) == 1) {
            return;
        }
        throw PeerlaneException.machine(
                "no-type1",
                CONTAINER + " has no IOMMU of type " + iommuType(),
                "Load it with modprobe vfio_iommu_type1, and see that the IOMMU is on"
                        + " (firmware; intel_iommu=on on the kernel command line)");
    }

    /** Returns VFIO's number of the IOMMU type in use. */
    int iommuType() {
        return VfioAbi.TYPE1V2_IOMMU;
    }

    /** Returns the name of a group's node below /dev/vfio. */
    String groupNode(int group) {
        return String.valueOf(group);
    }

    /** Adds a device's group, unless it is already there. */
    private void join(Bdf bdf, VfioSystem system) {
        int number = system.groupOf(bdf);
        VfioGroup group = groups.get(number);
        if (group == null) {
            group = VfioGroup.open(kernel, number, groupNode(number), system);
            groups.put(number, group);
            group.attach(container);
            if (groups.size() == 1) {
                KernelException.check(
                        kernel.ioctl(container, VfioAbi.SET_IOMMU, iommuType()),
                        "iommu-refused",
                        VfioAbi.SET_IOMMU.name(),
                        "IOMMU group " + number,
                        "Look at the kernel's log: interrupt remapping or the IOMMU may be off");
            }
        }
        groupOf.put(bdf, group);
    }

    /** Reads the page sizes, the address ranges and the largest number of mappings. */
    void readInfo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = info(arena, IommuInfo.BYTES);
            int needed = info.get(JAVA_INT, VfioAbi.ARGSZ);
            if (needed > IommuInfo.BYTES && needed <= MAX_INFO_BYTES) {
                info = info(arena, needed);
            }
            int flags = info.get(JAVA_INT, VfioAbi.FLAGS);
            long sizes = info.get(JAVA_LONG, IommuInfo.PAGE_SIZES);
            boolean known = (flags & IommuInfo.HAS_PAGE_SIZES) != 0 && sizes != 0;
            pageBytes = known ? Long.lowestOneBit(sizes) : PinnedMemory.PAGE_BYTES;
            int first =
                    (flags & IommuInfo.CAPS) != 0 ? info.get(JAVA_INT, IommuInfo.CAP_OFFSET) : 0;
            MemorySegment spans = Capabilities.find(info, first, IommuInfo.CAP_IOVA_RANGE);
            if (spans == null) {
                throw PeerlaneException.machine(
                        "no-iova-ranges",
                        "the kernel does not report which addresses its IOMMU can translate",
                        "Use Linux 5.4 or later");
            }
            List<Span> found = new ArrayList<>();
            for (long[] pair : Capabilities.pairs(spans, IommuInfo.RANGE_COUNT, IommuInfo.RANGES)) {
                if (pair[0] >= 0 && Long.compareUnsigned(pair[0], pair[1]) < 0) {
                    found.add(Span.of(pair[0], pair[1]));
                }
            }
            ranges = List.copyOf(found);
            MemorySegment available = Capabilities.find(info, first, IommuInfo.CAP_DMA_AVAIL);
            if (available != null && available.byteSize() >= IommuInfo.AVAILABLE + 4) {
                mappingLimit =
                        Integer.toUnsignedLong(
                                available.get(JAVA_INT_UNALIGNED, IommuInfo.AVAILABLE));
            }
        }
    }

    private MemorySegment info(Arena arena, int bytes) {
        MemorySegment info = arena.allocate(bytes, 8);
        info.set(JAVA_INT, VfioAbi.ARGSZ, bytes);
        KernelException.check(
                kernel.ioctl(container, VfioAbi.IOMMU_GET_INFO, info),
                "no-iommu-info",
                VfioAbi.IOMMU_GET_INFO.name(),
                CONTAINER,
                "Use a kernel with the type 1 IOMMU");
        return info;
    }

    @Override
    String name() {
        return compatibility ? CONTAINER + " (iommufd's compatibility layer)" : CONTAINER;
    }

    @Override
    List<Span> ranges() {
        return ranges;
    }

    @Override
    long pageBytes() {
        return pageBytes;
    }

    @Override
    long mappingLimit() {
        return mappingLimit;
    }

    @Override
    void map(long address, long iova, long bytes) {
        String object = "%d bytes of memory at I/O address 0x%x".formatted(bytes, iova);
        long result = mapDma(address, iova, bytes);
        KernelException.check(
                result, "dma-not-mapped", "VFIO_IOMMU_MAP_DMA", object, remedy(result));
    }

    @Override
    void mapBar(BarPiece piece, long iova) {
        long result = mapDma(piece.address(), iova, piece.bytes());
        String where = "%s at bus address 0x%x".formatted(piece.object(), iova);
        if (compatibility) {
            // in the message too, since a plan that falls back to host memory shows no remedies
            where += ", in " + name() + ", which maps no BARs";
        }
        KernelException.check(
                result,
                "peer-not-mapped",
                "VFIO_IOMMU_MAP_DMA",
                where,
                compatibility
                        ? "Use a kernel with CONFIG_VFIO_CONTAINER, or Linux 6.19 with the devices'"
                                + " own nodes"
                        : remedy(result));
    }

    private long mapDma(long address, long iova, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(DmaMap.BYTES, 8);
            map.set(JAVA_INT, VfioAbi.ARGSZ, DmaMap.BYTES);
            map.set(JAVA_INT, VfioAbi.FLAGS, DmaMap.READ | DmaMap.WRITE);
            map.set(JAVA_LONG, DmaMap.VADDR, address);
            map.set(JAVA_LONG, DmaMap.IOVA, iova);
            map.set(JAVA_LONG, DmaMap.SIZE, bytes);
            return kernel.ioctl(container, VfioAbi.IOMMU_MAP_DMA, map);
        }
    }

    private static String remedy(long result) {
        return switch ((int) -result) {
            case Errno.ENOMEM -> "Raise the limit of locked memory: ulimit -l";
            case Errno.ENOSPC ->
                    "Use fewer and larger buffers, or raise dma_entry_limit of the"
                            + " vfio_iommu_type1 module";
            case Errno.EEXIST -> "Close what is mapped there already";
            default -> "Look at the kernel's log and at the ranges that the IOMMU translates";
        };
    }

    @Override
    void unmap(long iova, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unmap = arena.allocate(DmaUnmap.BYTES, 8);
            unmap.set(JAVA_INT, VfioAbi.ARGSZ, DmaUnmap.BYTES);
            unmap.set(JAVA_LONG, DmaUnmap.IOVA, iova);
            unmap.set(JAVA_LONG, DmaUnmap.SIZE, bytes);
            String object = "I/O addresses 0x%x and %d bytes".formatted(iova, bytes);
            KernelException.check(
                    kernel.ioctl(container, VfioAbi.IOMMU_UNMAP_DMA, unmap),
                    "dma-not-unmapped",
                    VfioAbi.IOMMU_UNMAP_DMA.name(),
                    object,
                    "Close the fabric, which takes every mapping away");
            long done = unmap.get(JAVA_LONG, DmaUnmap.SIZE);
            if (done != bytes) {
                throw PeerlaneException.machine(
                        "dma-not-unmapped",
                        "%s: the kernel unmapped %d bytes of them".formatted(object, done),
                        "Close the fabric, which takes every mapping away");
            }
        }
    }

    @Override
    boolean revokesOnReset() {
        return false; // type 1 pins the BAR's addresses
    }

    @Override
    int openDevice(Bdf bdf) {
        VfioGroup group = groupOf.get(bdf);
        if (group == null) {
            throw new IllegalStateException(bdf + " is not in this container");
        }
        return group.device(bdf);
    }

    @Override
    void closeDevice(Bdf bdf, int fd) {
        KernelException.close(kernel, fd, bdf.toString());
    }

    @Override
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        Cleanup cleanup = new MemoryCleanup();
        for (VfioGroup group : groups.values()) {
            cleanup.step(group::close);
        }
        cleanup.step(() -> KernelException.close(kernel, container, CONTAINER)).finish();
    }
}
