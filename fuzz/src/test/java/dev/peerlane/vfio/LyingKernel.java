package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.fuzz.Input;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.Request;
import dev.peerlane.vfio.FakeNodes.DeviceNode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A kernel with VFIO whose input changes some answers: errors, values, structures and their
 * capabilities, partial reads. A request to release something always releases it, whatever the
 * answer.
 */
final class LyingKernel implements Kernel {
    private static final int MOST_CALLS = 60_000;
    private static final long MOST_BYTES = 8 << 20;
    private static final int MOST_ERRNO = 134;
    private static final int LEAST_CAPABILITY_AT = 24;

    final FakeKernel good;

    /** Requests that no kernel should receive. */
    final List<String> wrong = new ArrayList<>();

    private final Input input;
    private int calls;
    private boolean configLied;
    private boolean rangesLied;

    LyingKernel(FakeKernel good, Input input) {
        this.good = good;
        this.input = input;
    }

    /** Returns descriptions of what is wrong after everything is closed. */
    List<String> findings() {
        List<String> all = new ArrayList<>(wrong);
        all.addAll(good.leaks());
        good.violations.stream()
                // a device whose configuration space can't be read or written can't be stopped
                // either
                .filter(v -> !(configLied && v.endsWith("closed while it may do DMA")))
                .forEach(all::add);
        return all;
    }

    /** Consumes a byte of the input. One byte in four means a lie; after the end, none does. */
    private boolean lies() {
        if (++calls > MOST_CALLS) {
            throw new AssertionError("the kernel is asked forever");
        }
        return (input.int8() & 3) == 3;
    }

    private long error() {
        return -(1L + input.below(MOST_ERRNO));
    }

    @Override
    public long open(String path, int flags) {
        return lies() ? error() : good.open(path, flags);
    }

    @Override
    public long close(int fd) {
        boolean lies = lies();
        long result = good.close(fd);
        return lies ? error() : result;
    }

    @Override
    public long ioctl(int fd, Request request, long argument) {
        if (!lies()) {
            return good.ioctl(fd, request, argument);
        }
        return input.flag() ? input.int32() : error();
    }

    @Override
    public long ioctl(int fd, Request request, MemorySegment argument) {
        boolean lies = lies();
        if (!lies) {
            checkMapping(request, argument);
        } else if (input.flag() || request.equals(VfioAbi.GROUP_SET_CONTAINER)) {
            rangesLied |= request.equals(IommufdAbi.IOAS_IOVA_RANGES);
            configLied |= request.equals(VfioAbi.DEVICE_GET_REGION_INFO);
            return error();
        }
        long result = good.ioctl(fd, request, argument);
        boolean names =
                request.equals(VfioAbi.GROUP_GET_DEVICE_FD)
                        || request.equals(VfioAbi.DEVICE_FEATURE);
        if (lies && !names) {
            rangesLied |=
                    request.equals(VfioAbi.IOMMU_GET_INFO)
                            || request.equals(IommufdAbi.IOAS_IOVA_RANGES);
            configLied |= request.equals(VfioAbi.DEVICE_GET_REGION_INFO);
            change(argument);
        }
        return result;
    }

    /**
     * Checks that host memory and BARs are mapped only at addresses that the kernel's IOMMU can
     * translate.
     */
    private void checkMapping(Request request, MemorySegment map) {
        boolean old = request.equals(VfioAbi.IOMMU_MAP_DMA);
        if (rangesLied
                || (!old
                        && !request.equals(IommufdAbi.IOAS_MAP)
                        && !request.equals(IommufdAbi.IOAS_MAP_FILE))) {
            return;
        }
        long iova = map.get(JAVA_LONG, old ? VfioAbi.DmaMap.IOVA : IommufdAbi.Map.IOVA);
        long bytes = map.get(JAVA_LONG, old ? VfioAbi.DmaMap.SIZE : IommufdAbi.Map.LENGTH);
        long last = iova + bytes - 1;
        boolean told =
                bytes > 0
                        && Long.compareUnsigned(iova, last) <= 0
                        && good.ranges.stream()
                                .anyMatch(r ->
                                        Long.compareUnsigned(r.start(), iova) <= 0
                                                && Long.compareUnsigned(last, r.last()) <= 0);
        if (!told) {
            wrong.add("mapped at %x, %x bytes, of %s".formatted(iova, bytes, good.ranges));
        }
    }

    /** Changes parts of a structure, or inserts a chain of capabilities. */
    private void change(MemorySegment structure) {
        int size = (int) structure.byteSize();
        if (size > LEAST_CAPABILITY_AT + 8 && input.flag()) {
            chain(structure, size);
            return;
        }
        for (int left = input.below(4); left >= 0; left--) {
            int at = 4 * input.below(Math.min(256, size / 4));
            switch (input.below(4)) {
                case 0 -> structure.set(JAVA_BYTE, at, (byte) input.int8());
                case 1 -> structure.set(JAVA_INT_UNALIGNED, at, input.int32());
                case 2 -> structure.set(JAVA_INT_UNALIGNED, at, input.int8());
                default -> {
                    if (at + 8 <= size) {
                        structure.set(JAVA_LONG_UNALIGNED, at, number());
                    }
                }
            }
        }
    }

    private void chain(MemorySegment structure, int size) {
        structure.set(JAVA_INT, VfioAbi.FLAGS, -1);
        boolean region = input.flag();
        int first = region ? VfioAbi.RegionInfo.CAP_OFFSET : VfioAbi.IommuInfo.CAP_OFFSET;
        int at = LEAST_CAPABILITY_AT + 8 * input.below(8);
        structure.set(JAVA_INT, first, at);
        for (int left = 1 + input.below(6); left > 0 && at + 8 <= size; left--) {
            int next = input.flag() ? input.int16() : at + 8 + 8 * input.below(16);
            structure.set(JAVA_SHORT_UNALIGNED, at, (short) input.below(5));
            structure.set(JAVA_INT_UNALIGNED, at + 4, next);
            for (int word = at + 8; word + 8 <= Math.min(size, at + 48); word += 8) {
                structure.set(JAVA_LONG_UNALIGNED, word, number());
            }
            at = next;
        }
    }

    /** Returns a plausible address or length. */
    long number() {
        long small = input.int16();
        int shift = input.below(64);
        return switch (input.below(4)) {
            case 0 -> small;
            case 1 -> small << shift;
            case 2 -> (small << shift) - 1;
            default -> input.int64();
        };
    }

    @Override
    public long mmap(long bytes, int protection, int flags, int fd, long offset) {
        boolean lies = lies();
        if (bytes <= 0) {
            wrong.add("mmap of " + bytes + " bytes");
        }
        return lies || bytes <= 0 || bytes > MOST_BYTES
                ? -Errno.ENOMEM
                : good.mmap(bytes, protection, flags, fd, offset);
    }

    @Override
    public long munmap(long address, long bytes) {
        boolean lies = lies();
        long result = good.munmap(address, bytes);
        return lies ? error() : result;
    }

    @Override
    public long mlock(long address, long bytes) {
        return lies() ? error() : good.mlock(address, bytes);
    }

    @Override
    public long pread(int fd, MemorySegment target, long offset) {
        boolean lies = lies();
        if (outside(fd, target.byteSize(), offset)) {
            return -Errno.EINVAL;
        }
        long result = good.pread(fd, target, offset);
        if (!lies) {
            return result;
        }
        configLied |= offset >>> FakeStructures.REGION_SHIFT == VfioAbi.RegionInfo.CONFIG;
        target.copyFrom(MemorySegment.ofArray(input.bytes((int) target.byteSize())));
        return input.flag() ? error() : input.below((int) target.byteSize() + 1);
    }

    @Override
    public long pwrite(int fd, MemorySegment source, long offset) {
        if (lies()) {
            configLied |= offset >>> FakeStructures.REGION_SHIFT == VfioAbi.RegionInfo.CONFIG;
            return input.flag() ? error() : input.below((int) source.byteSize());
        }
        return outside(fd, source.byteSize(), offset)
                ? -Errno.EINVAL
                : good.pwrite(fd, source, offset);
    }

    /**
     * Returns whether an access is outside a region's true end, whatever the kernel has reported.
     */
    private boolean outside(int fd, long bytes, long offset) {
        if (!(good.open.get(fd) instanceof DeviceNode node)) {
            return false;
        }
        long region = offset >>> FakeStructures.REGION_SHIFT;
        long at = offset & ((1L << FakeStructures.REGION_SHIFT) - 1);
        return region > VfioAbi.RegionInfo.CONFIG || at + bytes > node.device.size((int) region);
    }

    @Override
    public long read(int fd, MemorySegment target) {
        return lies() ? error() : good.read(fd, target);
    }

    @Override
    public long eventfd(int initial, int flags) {
        return lies() ? error() : good.eventfd(initial, flags);
    }

    @Override
    public long pollIn(int fd, int timeoutMillis) {
        if (!lies()) {
            return good.pollIn(fd, timeoutMillis);
        }
        return input.flag() ? 1 : error();
    }

    @Override
    public long lockLimitBytes() {
        if (!lies()) {
            return good.lockLimitBytes();
        }
        return input.flag() ? number() & Long.MAX_VALUE : error();
    }
}
