package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.Request;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.FakeIoSpace.ProcessMapping;
import dev.peerlane.vfio.FakeIoSpace.Wiring;
import dev.peerlane.vfio.FakeNodes.Container;
import dev.peerlane.vfio.FakeNodes.DeviceNode;
import dev.peerlane.vfio.FakeNodes.Event;
import dev.peerlane.vfio.FakeNodes.Group;
import dev.peerlane.vfio.FakeNodes.Iommufd;
import dev.peerlane.vfio.FakeNodes.Node;
import dev.peerlane.vfio.FakeNodes.OtherFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * A fake Linux with VFIO: containers, groups, iommufd, devices, event counters, memory. It makes
 * the kernel's checks, tracks what is open and mapped, and fails the call that a test chose.
 */
public final class FakeKernel implements Kernel {
    private static final String OWN_NAME = FakeKernel.class.getName();

    final Map<String, FakeDevice> devices = new TreeMap<>();
    final Map<Integer, FakeDevice> nodes = new TreeMap<>();
    public final Map<String, OtherFile> otherFiles = new HashMap<>();

    public final Map<Integer, String> exclusive = new TreeMap<>();
    final Set<Integer> notViable = new HashSet<>();
    public final List<String> violations = new ArrayList<>();
    final TreeMap<Integer, Node> open = new TreeMap<>();
    final TreeMap<Long, ProcessMapping> memory = new TreeMap<>();
    public final Set<String> sites = new TreeSet<>();
    final List<String> calls = new ArrayList<>();
    Wiring wiring = Wiring.NONE;
    List<Span> ranges = List.of(new Span(0, 0xfedf_ffffL), new Span(0xfef0_0000L, (1L << 39) - 1));
    boolean containers = true;
    boolean compatibility;
    boolean iommufd;
    boolean dmaBufs = true;
    boolean type1 = true;
    boolean noIommu;
    int hugePages = 0;
    int mappingsAllowed = 65_535;
    long lockLimit = Long.MAX_VALUE;
    long unmapsLess;

    /** Selects the calls that {@link #failAt} counts. */
    Predicate<String> counted = call -> true;

    private final Arena arena = Arena.ofShared();
    final Map<Integer, int[]> triggers = new HashMap<>();
    private FakeIoSpace lastSpace;
    private int nextFd = 3;
    private int failAt = -1;
    private int failWith;
    private int counter;
    public String failedSite;
    String failedCall;

    /** Adds a function whose BARs are plain memory. */
    public void add(Bdf bdf, int group) {
        add(new PlainDevice(bdf, group, Arena.ofAuto()));
    }

    FakeKernel add(FakeDevice device) {
        devices.put(device.bdf.toString(), device);
        nodes.put(nodes.size(), device);
        return this;
    }

    /** Makes the k-th call from now on fail, counted from 1. With 0, no call fails. */
    public void failAt(int k, int errno) {
        failAt = k;
        failWith = errno;
        counter = 0;
        failedSite = null;
    }

    /** Frees all memory, even if it is still in use. */
    void end() {
        arena.close();
    }

    FakeIoSpace space() {
        return lastSpace;
    }

    /** Returns descriptions of what is still open or mapped. */
    public List<String> leaks() {
        List<String> leaks = new ArrayList<>();
        open.values().forEach(node -> leaks.add("open: " + node.name));
        memory.forEach((at, m) -> leaks.add("mapped: %x, %x bytes".formatted(at, m.bytes())));
        if (lastSpace != null) {
            lastSpace
                    .mappings
                    .values()
                    .forEach(m -> leaks.add("in the IOMMU: %x".formatted(m.iova)));
        }
        return leaks;
    }

    /** Returns whether a call has to fail, and records its call site. */
    private boolean fails(String call) {
        String site =
                StackWalker.getInstance()
                        .walk(frames ->
                                frames.filter(f -> !f.getClassName().equals(OWN_NAME))
                                        .findFirst()
                                        .map(f ->
                                                f.getClassName()
                                                                .substring(
                                                                        f.getClassName()
                                                                                        .lastIndexOf(
                                                                                                '.')
                                                                                + 1)
                                                        + "."
                                                        + f.getMethodName()
                                                        + ":"
                                                        + f.getLineNumber())
                                        .get());
        sites.add(site + " " + call);
        calls.add(call);
        if (!counted.test(call)) {
            return false;
        }
        counter++;
        if (counter == failAt) {
            failedSite = site + " " + call;
            failedCall = call;
            return true;
        }
        return false;
    }

    long add(Node node) {
        open.put(nextFd, node);
        return nextFd++;
    }

    @Override
    public long open(String path, int flags) {
        if (fails("open")) {
            return -failWith;
        }
        if ((flags & O_CLOEXEC) == 0) {
            violations.add(path + " would be inherited by child processes");
        }
        if (otherFiles.containsKey(path)) {
            return openOther(path, flags);
        }
        if (path.equals("/dev/vfio/vfio")) {
            return containers ? add(new Container()) : -Errno.ENOENT;
        }
        if (path.equals("/dev/iommu")) {
            return iommufd ? add(new Iommufd()) : -Errno.ENOENT;
        }
        if (path.startsWith("/dev/vfio/devices/vfio")) {
            FakeDevice device = nodes.get(Integer.parseInt(path.substring(22)));
            return device == null || !iommufd ? -Errno.ENOENT : add(new DeviceNode(device));
        }
        if (!path.startsWith("/dev/vfio/")) {
            return openOther(path, flags);
        }
        String prefix = noIommu ? "/dev/vfio/noiommu-" : "/dev/vfio/";
        int group = Integer.parseInt(path.substring(prefix.length()));
        if (devices.values().stream().noneMatch(d -> d.group == group)) {
            return -Errno.ENOENT;
        }
        boolean taken = open.values().stream().anyMatch(n -> n.name.equals("group " + group));
        return taken ? -Errno.EBUSY : add(new Group(group));
    }

    private long openOther(String path, int flags) {
        OtherFile file = otherFiles.get(path);
        if (file == null) {
            return -Errno.ENOENT;
        }
        boolean exclusive = (flags & FakeNodes.O_EXCL) != 0;
        long refusal = file.refusal < 0 ? file.refusal : exclusive ? file.exclusiveRefusal : 0;
        if (refusal == 0 && exclusive && this.exclusive.containsValue(path)) {
            refusal = -Errno.EBUSY;
        }
        long fd = refusal < 0 ? refusal : add(file);
        if (fd >= 0 && exclusive) {
            this.exclusive.put((int) fd, path);
        }
        return fd;
    }

    @Override
    public long close(int fd) {
        boolean failing = fails("close");
        exclusive.remove(fd);
        Node node = open.remove(fd);
        if (node == null) {
            violations.add("closed " + fd + ", which is not open");
            return -9;
        }
        switch (node) {
            case Group group -> closed(group);
            case Container container -> {
                if (!container.groups.isEmpty()) {
                    violations.add("container closed before its groups");
                }
                if (container.space != null) {
                    container.space.clear();
                }
            }
            case Iommufd closing -> {
                boolean used =
                        open.values().stream()
                                .anyMatch(n -> n instanceof DeviceNode d && d.bound == closing);
                if (used) {
                    violations.add("iommufd closed before its devices");
                }
                if (closing.space != null) {
                    closing.space.clear();
                }
            }
            case DeviceNode device -> {
                if (device.device.masters() && !failing && failAt <= 0) {
                    violations.add(node.name + " closed while it may do DMA");
                }
                memory.values().stream()
                        .filter(m -> m.device() == device.device && failAt <= 0)
                        .forEach(m -> violations.add(node.name + " closed while it is mapped"));
            }
            default -> {}
        }
        return failing ? -failWith : 0;
    }

    private void closed(Group group) {
        for (Node node : open.values()) {
            if (node instanceof DeviceNode d && d.device.group == group.number) {
                violations.add(group.name + " closed before " + node.name);
            }
        }
        if (group.container != null) {
            group.container.groups.remove(group.number);
            if (group.container.groups.isEmpty() && group.container.space != null) {
                group.container.space.clear();
            }
        }
    }

    @Override
    public long ioctl(int fd, Request request, long argument) {
        if (fails(request.name())) {
            return -failWith;
        }
        Node node = open.get(fd);
        if (node instanceof Container container) {
            if (request.equals(VfioAbi.GET_API_VERSION)) {
                return 0;
            }
            if (request.equals(VfioAbi.CHECK_EXTENSION)) {
                int type = noIommu ? VfioAbi.NOIOMMU_IOMMU : VfioAbi.TYPE1V2_IOMMU;
                return argument == type && type1 ? 1 : 0;
            }
            if (request.equals(VfioAbi.SET_IOMMU)) {
                int type = noIommu ? VfioAbi.NOIOMMU_IOMMU : VfioAbi.TYPE1V2_IOMMU;
                if (container.groups.isEmpty() || argument != type) {
                    return -Errno.EINVAL;
                }
                container.space = newSpace();
                return 0;
            }
        }
        if (node instanceof DeviceNode device && request.equals(VfioAbi.DEVICE_RESET)) {
            if ((device.device.flags & VfioAbi.DeviceInfo.RESET) == 0) {
                return -Errno.EINVAL;
            }
            device.device.reset();
            if (device.bound != null && device.bound.space != null) {
                device.bound.space.revoke(device.device);
            }
            return 0;
        }
        return -Errno.ENOTTY;
    }

    FakeIoSpace newSpace() {
        lastSpace = new FakeIoSpace(wiring, ranges, lockLimit);
        return lastSpace;
    }

    @Override
    public long ioctl(int fd, Request request, MemorySegment argument) {
        if (fails(request.name())) {
            return -failWith;
        }
        return switch (open.get(fd)) {
            case Container container -> containerCall(container, request, argument);
            case Group group -> groupCall(group, request, argument);
            case DeviceNode device -> FakeDeviceCalls.call(this, device, request, argument);
            case Iommufd context -> FakeIommufd.call(this, context, request, argument);
            case OtherFile file -> file.ioctl(request, argument);
            case null -> -9;
            default -> -Errno.ENOTTY;
        };
    }

    private long containerCall(Container container, Request request, MemorySegment argument) {
        if (request.equals(IommufdAbi.VFIO_IOAS)) {
            return compatibility ? -Errno.ENODEV : -Errno.EINVAL;
        }
        if (container.space == null) {
            return -Errno.EINVAL;
        }
        if (request.equals(VfioAbi.IOMMU_GET_INFO)) {
            return FakeStructures.iommuInfo(argument, ranges, mappingsAllowed);
        }
        if (request.equals(VfioAbi.IOMMU_MAP_DMA)) {
            sized(argument, 32);
            if (container.space.mappings.size() >= mappingsAllowed) {
                return -Errno.ENOSPC;
            }
            if (argument.get(JAVA_INT, 4) != 3) {
                return -Errno.EINVAL;
            }
            return container.space.map(
                    memory,
                    argument.get(JAVA_LONG, 8),
                    argument.get(JAVA_LONG, 16),
                    argument.get(JAVA_LONG, 24),
                    !compatibility);
        }
        if (request.equals(VfioAbi.IOMMU_UNMAP_DMA)) {
            sized(argument, 24);
            long done =
                    container.space.unmap(argument.get(JAVA_LONG, 8), argument.get(JAVA_LONG, 16));
            if (done >= 0) {
                argument.set(JAVA_LONG, 16, done - unmapsLess);
            }
            return Math.min(done, 0);
        }
        return -Errno.ENOTTY;
    }

    private long groupCall(Group group, Request request, MemorySegment argument) {
        if (request.equals(VfioAbi.GROUP_GET_STATUS)) {
            sized(argument, 8);
            int viable = notViable.contains(group.number) ? 0 : 1;
            argument.set(JAVA_INT, 4, viable | (group.container == null ? 0 : 2));
            return 0;
        }
        if (request.equals(VfioAbi.GROUP_SET_CONTAINER)) {
            if (open.get(argument.get(JAVA_INT, 0)) instanceof Container container) {
                group.container = container;
                container.groups.add(group.number);
                return 0;
            }
            return -9;
        }
        if (request.equals(VfioAbi.GROUP_GET_DEVICE_FD)) {
            FakeDevice device = devices.get(argument.getString(0));
            if (device == null || device.group != group.number) {
                return -Errno.ENODEV;
            }
            return group.container == null || group.container.space == null
                    ? -Errno.EINVAL
                    : add(new DeviceNode(device));
        }
        return -Errno.ENOTTY;
    }

    /** Simulates an interrupt of a device. */
    boolean fire(FakeDevice device, int vector) {
        int[] events = triggers.get(System.identityHashCode(device));
        if (events == null) {
            return false;
        }
        ((Event) open.get(events[vector])).count++;
        return true;
    }

    void sized(MemorySegment argument, int bytes) {
        int said = argument.get(JAVA_INT, 0);
        if (said != bytes || argument.byteSize() < bytes) {
            violations.add("a structure of %d bytes says %d".formatted(bytes, said));
        }
    }

    @Override
    public long mmap(long bytes, int protection, int flags, int fd, long offset) {
        boolean huge = (flags & MAP_HUGETLB) != 0;
        if (fails(huge ? "mmap huge" : "mmap")) {
            return -failWith;
        }
        if (protection != (PROT_READ | PROT_WRITE)) {
            violations.add("mmap with protection " + protection);
        }
        if (fd < 0) {
            long pages = bytes >> 21;
            if (huge && pages > hugePages) {
                return -Errno.ENOMEM;
            }
            hugePages -= huge ? (int) pages : 0;
            return mapped(
                    new ProcessMapping(arena.allocate(bytes, huge ? 2 << 20 : 4096), null, -1, 0));
        }
        if (!(open.get(fd) instanceof DeviceNode node) || flags != MAP_SHARED) {
            return -Errno.EINVAL;
        }
        int region = (int) (offset >>> FakeStructures.REGION_SHIFT);
        long at = offset & ((1L << FakeStructures.REGION_SHIFT) - 1);
        MemorySegment bar = node.device.memory(region);
        List<Span> sparse = node.device.sparse(region);
        boolean allowed =
                bar != null
                        && at + bytes <= bar.byteSize()
                        && (sparse == null
                                || sparse.stream().anyMatch(s -> s.holds(at, at + bytes - 1)));
        if (!allowed || ((at | bytes) & 4095) != 0) {
            return -Errno.EINVAL;
        }
        return mapped(new ProcessMapping(bar.asSlice(at, bytes), node.device, region, at));
    }

    private long mapped(ProcessMapping mapping) {
        memory.put(mapping.memory().address(), mapping);
        return mapping.memory().address();
    }

    @Override
    public long munmap(long address, long bytes) {
        if (fails("munmap")) {
            return -failWith;
        }
        ProcessMapping mapping = memory.remove(address);
        if (mapping == null || mapping.bytes() != bytes) {
            violations.add(
                    "munmap of %x, %d bytes, which was not mapped so".formatted(address, bytes));
            return -Errno.EINVAL;
        }
        return 0;
    }

    @Override
    public long mlock(long address, long bytes) {
        return fails("mlock") ? -failWith : 0;
    }

    @Override
    public long pread(int fd, MemorySegment target, long offset) {
        if (fails("pread")) {
            return -failWith;
        }
        if (open.get(fd) instanceof OtherFile file) {
            return file.pread(target, offset);
        }
        DeviceNode node = device(fd);
        int region = (int) (offset >>> FakeStructures.REGION_SHIFT);
        long at = offset & ((1L << FakeStructures.REGION_SHIFT) - 1);
        int bytes = (int) target.byteSize();
        if (region < 6 && !node.device.gone && !node.device.decodes()) {
            return -Errno.EIO;
        }
        boolean ids = region == VfioAbi.RegionInfo.CONFIG && at < 4; // virtualised by vfio-pci
        long value = node.device.gone && !ids ? -1 : node.device.load(region, at, bytes);
        if (bytes == 8) {
            target.set(JAVA_LONG_UNALIGNED, 0, value);
        } else {
            target.set(JAVA_INT_UNALIGNED, 0, (int) value);
        }
        return bytes;
    }

    @Override
    public long pwrite(int fd, MemorySegment source, long offset) {
        if (fails("pwrite")) {
            return -failWith;
        }
        DeviceNode node = device(fd);
        int region = (int) (offset >>> FakeStructures.REGION_SHIFT);
        int bytes = (int) source.byteSize();
        if (node.device.gone) {
            return bytes;
        }
        if (region < 6 && !node.device.decodes()) {
            return -Errno.EIO;
        }
        long value =
                switch (bytes) {
                    case 2 -> source.get(JAVA_SHORT_UNALIGNED, 0) & 0xffffL;
                    case 4 -> source.get(JAVA_INT_UNALIGNED, 0);
                    default -> source.get(JAVA_LONG_UNALIGNED, 0);
                };
        node.device.store(region, offset & ((1L << FakeStructures.REGION_SHIFT) - 1), bytes, value);
        return bytes;
    }

    private DeviceNode device(int fd) {
        return (DeviceNode) Objects.requireNonNull(open.get(fd), "no such descriptor");
    }

    @Override
    public long read(int fd, MemorySegment target) {
        if (fails("read")) {
            return -failWith;
        }
        Event event = (Event) open.get(fd);
        if (event.count == 0) {
            return -Errno.EAGAIN;
        }
        target.set(JAVA_LONG, 0, event.count);
        event.count = 0;
        return 8;
    }

    @Override
    public long eventfd(int initial, int flags) {
        if ((flags & EFD_NONBLOCK) == 0) {
            violations.add("an event counter that blocks");
        }
        return fails("eventfd") ? -failWith : add(new Event());
    }

    @Override
    public long pollIn(int fd, int timeoutMillis) {
        if (fails("poll")) {
            return -failWith;
        }
        return ((Event) open.get(fd)).count > 0 ? 1 : 0;
    }

    @Override
    public long lockLimitBytes() {
        return fails("getrlimit") ? -failWith : lockLimit;
    }
}
