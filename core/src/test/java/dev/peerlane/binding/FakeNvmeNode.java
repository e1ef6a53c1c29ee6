package dev.peerlane.binding;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Memory;
import dev.peerlane.linux.Request;
import dev.peerlane.vfio.FakeNodes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A node of the nvme driver that answers Identify and Reservation Report with a test's bytes. */
final class FakeNvmeNode extends FakeNodes.OtherFile {
    static final int CMIC = 76;
    static final int NMIC = 30;
    static final int RESCAP = 31;

    final byte[] controller = new byte[4096];
    final byte[] namespace = new byte[4096];
    final byte[] reservations = new byte[4096];

    /** Result of Identify Controller: 0, an NVMe status, or a negated error number. */
    long identifyControllerStatus;

    long identifyNamespaceStatus;
    long reportStatus;
    long extendedReportStatus;

    /** Creates the node of a drive that is not shared. */
    FakeNvmeNode(String path) {
        super(path);
    }

    @Override
    protected long ioctl(Request request, MemorySegment command) {
        int opcode = command.get(JAVA_BYTE, 0);
        int nsid = command.get(JAVA_INT, 4);
        int cdw10 = command.get(JAVA_INT, 40);
        int cdw11 = command.get(JAVA_INT, 44);
        boolean sized = command.byteSize() == 72 && command.get(JAVA_INT, 36) == 4096;
        if (sized && request.number() == 0xc0484e41 && opcode == 6 && cdw10 == 1 && nsid == 0) {
            return answer(command, identifyControllerStatus, controller);
        }
        if (sized && request.number() == 0xc0484e41 && opcode == 6 && cdw10 == 0 && nsid == 7) {
            return answer(command, identifyNamespaceStatus, namespace);
        }
        if (sized && request.number() == 0xc0484e43 && opcode == 14 && cdw10 == 1023 && nsid == 7) {
            long status = cdw11 == 0 ? reportStatus : extendedReportStatus;
            return answer(command, status, reservations);
        }
        return -Errno.EINVAL;
    }

    private static long answer(MemorySegment command, long status, byte[] bytes) {
        if (status == 0) {
            Memory.at(command.get(JAVA_LONG, 24), 4096, Arena.global())
                    .copyFrom(MemorySegment.ofArray(bytes));
        }
        return status;
    }
}
