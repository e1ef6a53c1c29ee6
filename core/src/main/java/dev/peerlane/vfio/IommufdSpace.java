package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.Request;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.IommufdAbi.Attach;
import dev.peerlane.vfio.IommufdAbi.Bind;
import dev.peerlane.vfio.IommufdAbi.DmaBuf;
import dev.peerlane.vfio.IommufdAbi.IoasAlloc;
import dev.peerlane.vfio.IommufdAbi.IovaRanges;
import dev.peerlane.vfio.IommufdAbi.MapFile;
import dev.peerlane.vfio.IommufdAbi.Unmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An I/O address space of an iommufd, with devices opened through their own nodes. A BAR is mapped
 * through the device's dma-buf (Linux 6.19 and later); a reset revokes that mapping.
 */
final class IommufdSpace extends IoSpace {
    static final String NODE = "/dev/iommu";

    private static final int MAX_RANGES = 4096;
    private static final String KERNEL =
            "Use Linux 6.6 or later with CONFIG_IOMMUFD and"
                    + " CONFIG_VFIO_DEVICE_CDEV, or one with VFIO containers";

    private final Kernel kernel;
    private final VfioSystem system;
    private final int fd;
    private final Map<Bdf, Integer> devices = new TreeMap<>();
    private List<Span> ranges = List.of();
    private int ioas;
    private boolean closed;

    private IommufdSpace(Kernel kernel, VfioSystem system, int fd) {
        this.kernel = kernel;
        this.system = system;
        this.fd = fd;
    }

    static IommufdSpace open(Kernel kernel, List<Bdf> members, VfioSystem system) {
        long fd = kernel.open(NODE, Kernel.O_RDWR | Kernel.O_CLOEXEC);
        String remedy = fd == -Errno.EACCES ? "Run as root, or give this user access" : KERNEL;
        KernelException.check(fd, "no-iommufd", "open", NODE, remedy);
        IommufdSpace space = new IommufdSpace(kernel, system, (int) fd);
        try {
            space.allocate();
            for (Bdf bdf : members) {
                space.devices.put(bdf, space.attach(bdf));
            }
            space.readRanges();
            return space;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(space::close).finish(e);
            throw e;
        }
    }

    private void allocate() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment alloc = structure(arena, IoasAlloc.BYTES);
            request(IommufdAbi.IOAS_ALLOC, alloc, NODE);
            ioas = alloc.get(JAVA_INT, IoasAlloc.ID);
        }
    }

    /**
     * Opens a device's node, binds the device to the iommufd and attaches it. Returns its
     * descriptor.
     */
    private int attach(Bdf bdf) {
        String name = system.deviceNode(bdf);
        if (name == null) {
            throw PeerlaneException.machine(
                    "no-device-node", bdf + " has no node of its own below /dev/vfio", KERNEL);
        }
        String path = "/dev/vfio/devices/" + name;
        int device =
                (int)
                        KernelException.check(
                                kernel.open(path, Kernel.O_RDWR | Kernel.O_CLOEXEC),
                                "device-not-opened",
                                "open",
                                bdf + ", " + path,
                                "Run as root, or give this user access");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bind = structure(arena, Bind.BYTES);
            bind.set(JAVA_INT, Bind.IOMMUFD, fd);
            check(
                    kernel.ioctl(device, VfioAbi.DEVICE_BIND_IOMMUFD, bind),
                    VfioAbi.DEVICE_BIND_IOMMUFD,
                    bdf + " (its group: " + system.describeGroup(system.groupOf(bdf)) + ")");
            MemorySegment attach = structure(arena, Attach.BYTES);
            attach.set(JAVA_INT, Attach.ID, ioas);
            check(
                    kernel.ioctl(device, VfioAbi.DEVICE_ATTACH_IOMMUFD_PT, attach),
                    VfioAbi.DEVICE_ATTACH_IOMMUFD_PT,
                    bdf.toString());
            return device;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(() -> KernelException.close(kernel, device, path)).finish(e);
            throw e;
        }
    }

    /**
     * Reads the usable ranges in two requests: the first returns their number (with EMSGSIZE if
     * there are any), the second the ranges.
     */
    private void readRanges() {
        int room = 64;
        while (true) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment query = structure(arena, IovaRanges.BYTES);
                MemorySegment array = arena.allocate((long) room * IovaRanges.RANGE_BYTES, 8);
                query.set(JAVA_INT, IovaRanges.ID, ioas);
                query.set(JAVA_INT, IovaRanges.COUNT, room);
                query.set(JAVA_LONG, IovaRanges.POINTER, array.address());
                long result = kernel.ioctl(fd, IommufdAbi.IOAS_IOVA_RANGES, query);
                int count = query.get(JAVA_INT, IovaRanges.COUNT);
                if (result == -Errno.EMSGSIZE && count > room && count <= MAX_RANGES) {
                    room = count;
                    continue;
                }
                check(result, IommufdAbi.IOAS_IOVA_RANGES, NODE);
                List<Span> found = new ArrayList<>();
                for (int i = 0; i < Math.min(count, room); i++) {
                    long start = array.get(JAVA_LONG, (long) i * IovaRanges.RANGE_BYTES);
                    long last = array.get(JAVA_LONG, (long) i * IovaRanges.RANGE_BYTES + 8);
                    if (start >= 0 && Long.compareUnsigned(start, last) < 0) {
                        found.add(Span.of(start, last));
                    }
                }
                ranges = List.copyOf(found);
                return;
            }
        }
    }

    @Override
    String name() {
        return NODE;
    }

    @Override
    List<Span> ranges() {
        return ranges;
    }

    @Override
    long pageBytes() {
        return PinnedMemory.PAGE_BYTES;
    }

    @Override
    long mappingLimit() {
        return Integer.MAX_VALUE;
    }

    @Override
    void map(long address, long iova, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = mapping(arena, iova, bytes);
            map.set(JAVA_LONG, IommufdAbi.Map.ADDRESS, address);
            long result = kernel.ioctl(fd, IommufdAbi.IOAS_MAP, map);
            KernelException.check(
                    result,
                    "dma-not-mapped",
                    IommufdAbi.IOAS_MAP.name(),
                    "%d bytes of memory at I/O address 0x%x".formatted(bytes, iova),
                    result == -Errno.ENOMEM
                            ? "Raise the limit of locked memory: ulimit -l"
                            : "Look at the ranges that the IOMMU translates: " + ranges);
        }
    }

    @Override
    void mapBar(BarPiece piece, long iova) {
        String object = piece.object();
        long bytes = piece.bytes();
        int buffer = export(piece);
        Cleanup cleanup = new MemoryCleanup();
        boolean[] mapped = new boolean[1];
        cleanup.step(() -> {
            mapFile(buffer, object, iova, bytes);
            mapped[0] = true;
        });
        // the address space now holds its own reference to the dma-buf
        cleanup.step(() -> KernelException.close(kernel, buffer, "the dma-buf of " + object));
        try {
            cleanup.finish();
        } catch (RuntimeException e) {
            if (mapped[0]) {
                new MemoryCleanup().step(() -> unmap(iova, bytes)).finish(e);
            }
            throw e;
        }
    }

    private int export(BarPiece piece) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment feature = structure(arena, DmaBuf.BYTES);
            feature.set(JAVA_INT, VfioAbi.FLAGS, DmaBuf.GET | DmaBuf.FEATURE);
            feature.set(JAVA_INT, DmaBuf.REGION, piece.index());
            feature.set(JAVA_INT, DmaBuf.OPEN_FLAGS, Kernel.O_RDWR | Kernel.O_CLOEXEC);
            feature.set(JAVA_INT, DmaBuf.RANGE_COUNT, 1);
            feature.set(JAVA_LONG, DmaBuf.OFFSET, piece.offset());
            feature.set(JAVA_LONG, DmaBuf.LENGTH, piece.bytes());
            return (int)
                    KernelException.check(
                            kernel.ioctl(piece.deviceFd(), VfioAbi.DEVICE_FEATURE, feature),
                            "no-dma-buf",
                            "VFIO_DEVICE_FEATURE_DMA_BUF",
                            piece.object(),
                            "Use Linux 6.19 or later with CONFIG_VFIO_PCI_DMABUF and"
                                    + " CONFIG_PCI_P2PDMA, or one with VFIO containers");
        }
    }

    private void mapFile(int buffer, String object, long iova, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = mapping(arena, iova, bytes);
            map.set(JAVA_INT, MapFile.FD, buffer);
            map.set(JAVA_LONG, MapFile.START, 0);
            KernelException.check(
                    kernel.ioctl(fd, IommufdAbi.IOAS_MAP_FILE, map),
                    "peer-not-mapped",
                    IommufdAbi.IOAS_MAP_FILE.name(),
                    "%s at bus address 0x%x".formatted(object, iova),
                    "Use Linux 6.19 or later, and look at the ranges that the IOMMU translates");
        }
    }

    private MemorySegment mapping(Arena arena, long iova, long bytes) {
        MemorySegment map = structure(arena, IommufdAbi.Map.BYTES);
        map.set(
                JAVA_INT,
                IommufdAbi.Map.FLAGS,
                IommufdAbi.Map.FIXED_IOVA | IommufdAbi.Map.READABLE | IommufdAbi.Map.WRITEABLE);
        map.set(JAVA_INT, IommufdAbi.Map.ID, ioas);
        map.set(JAVA_LONG, IommufdAbi.Map.LENGTH, bytes);
        map.set(JAVA_LONG, IommufdAbi.Map.IOVA, iova);
        return map;
    }

    @Override
    void unmap(long iova, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unmap = structure(arena, Unmap.BYTES);
            unmap.set(JAVA_INT, Unmap.ID, ioas);
            unmap.set(JAVA_LONG, Unmap.IOVA, iova);
            unmap.set(JAVA_LONG, Unmap.LENGTH, bytes);
            String object = "I/O addresses 0x%x and %d bytes".formatted(iova, bytes);
            KernelException.check(
                    kernel.ioctl(fd, IommufdAbi.IOAS_UNMAP, unmap),
                    "dma-not-unmapped",
                    IommufdAbi.IOAS_UNMAP.name(),
                    object,
                    "Close the fabric, which takes every mapping away");
            long done = unmap.get(JAVA_LONG, Unmap.LENGTH);
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
        return true;
    }

    @Override
    int openDevice(Bdf bdf) {
        Integer attached = devices.get(bdf);
        if (attached == null) {
            attached = attach(bdf);
            devices.put(bdf, attached);
        }
        return attached;
    }

    @Override
    void closeDevice(Bdf bdf, int device) {
        devices.remove(bdf);
        KernelException.close(kernel, device, bdf.toString());
    }

    @Override
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        Cleanup cleanup = new MemoryCleanup();
        devices.forEach((bdf, device) ->
                cleanup.step(() -> KernelException.close(kernel, device, bdf.toString())));
        devices.clear();
        cleanup.step(() -> KernelException.close(kernel, fd, NODE)).finish();
    }

    /** Allocates a structure and stores its size at offset 0, where both headers have it. */
    private static MemorySegment structure(Arena arena, int bytes) {
        MemorySegment structure = arena.allocate(bytes, 8);
        structure.set(JAVA_INT, IommufdAbi.SIZE, bytes);
        return structure;
    }

    private void request(Request request, MemorySegment structure, String object) {
        check(kernel.ioctl(fd, request, structure), request, object);
    }

    private static void check(long result, Request request, String object) {
        KernelException.check(result, "iommufd-refused", request.name(), object, KERNEL);
    }
}
