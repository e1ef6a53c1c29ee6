package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Memory;
import dev.peerlane.linux.Request;
import dev.peerlane.vfio.FakeNodes.DmaBufNode;
import dev.peerlane.vfio.FakeNodes.Iommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The requests of an iommufd. */
final class FakeIommufd {
    /** The identifier of the only address space. */
    static final int IOAS = 17;

    private FakeIommufd() {}

    static long call(FakeKernel kernel, Iommufd context, Request request, MemorySegment argument) {
        if (request.equals(IommufdAbi.IOAS_ALLOC)) {
            kernel.sized(argument, 12);
            argument.set(JAVA_INT, 8, IOAS);
            context.space = kernel.newSpace();
            return 0;
        }
        if (request.equals(IommufdAbi.IOAS_IOVA_RANGES)) {
            kernel.sized(argument, 32);
            int room = argument.get(JAVA_INT, 8);
            argument.set(JAVA_INT, 8, kernel.ranges.size());
            MemorySegment array =
                    Memory.at(argument.get(JAVA_LONG, 16), 16L * room, Arena.global());
            for (int i = 0; i < Math.min(room, kernel.ranges.size()); i++) {
                array.set(JAVA_LONG, 16L * i, kernel.ranges.get(i).start());
                array.set(JAVA_LONG, 16L * i + 8, kernel.ranges.get(i).last());
            }
            return room < kernel.ranges.size() ? -Errno.EMSGSIZE : 0;
        }
        FakeIoSpace space = context.space;
        if (request.equals(IommufdAbi.IOAS_UNMAP)) {
            kernel.sized(argument, 24);
            long done = space.unmap(argument.get(JAVA_LONG, 8), argument.get(JAVA_LONG, 16));
            if (done == 0) {
                return -Errno.ENOENT;
            }
            argument.set(JAVA_LONG, 16, done - kernel.unmapsLess);
            return Math.min(done, 0);
        }
        kernel.sized(argument, 40);
        boolean well = argument.get(JAVA_INT, 4) == 7 && argument.get(JAVA_INT, 8) == IOAS;
        long bytes = argument.get(JAVA_LONG, 24);
        long iova = argument.get(JAVA_LONG, 32);
        if (well && request.equals(IommufdAbi.IOAS_MAP)) {
            return space.map(kernel.memory, argument.get(JAVA_LONG, 16), iova, bytes, false);
        }
        if (well
                && request.equals(IommufdAbi.IOAS_MAP_FILE)
                && kernel.open.get(argument.get(JAVA_INT, 12)) instanceof DmaBufNode buffer) {
            long start = argument.get(JAVA_LONG, 16);
            return start + bytes > buffer.bytes
                    ? -Errno.EINVAL
                    : space.mapBar(buffer.device, buffer.bar, buffer.offset + start, iova, bytes);
        }
        return -Errno.EINVAL;
    }
}
