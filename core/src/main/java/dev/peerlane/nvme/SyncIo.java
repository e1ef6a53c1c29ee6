package dev.peerlane.nvme;

import dev.peerlane.block.Completions;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Sqe;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * I/O commands one at a time, each awaited. A command that is not answered in time takes its queue
 * with it before the caller hears of it, so that no buffer is touched after the call.
 */
final class SyncIo {
    private static final int ENTRIES = 4;
    private static final int COOKIE = 0;

    private final Controller controller;
    private final Answer answer = new Answer();
    private @Nullable QueuePair queue;
    private @Nullable DmaBuffer list;

    SyncIo(Controller controller) {
        this.controller = controller;
    }

    private static final class Answer extends Completions {
        private boolean arrived;
        private int status;

        @Override
        public void completed(int slot, int commandStatus) {
            arrived = true;
            status = commandStatus;
        }
    }

    private QueuePair queue() {
        QueuePair q = queue;
        if (q == null || !q.isAlive()) {
            q = controller.createQueuePair(ENTRIES - 1);
            queue = q;
        }
        return q;
    }

    /** Returns a page of host memory: for the PRP list of a transfer, or for ranges. */
    private DmaBuffer page() {
        if (list == null) {
            list = controller.dma().allocate(PrpList.PAGE);
        }
        return list;
    }

    /** Executes a command and returns its status. */
    int execute(int opcode, int nsid, long bus, int bytes, long cdw10to11, int cdw12) {
        QueuePair q = queue();
        int pages = bytes == 0 ? 0 : PrpList.pagesAfterFirst(bus, bytes);
        long prp2 = 0;
        if (pages == 1) {
            prp2 = (bus & -PrpList.PAGE) + PrpList.PAGE;
        } else if (pages > 1) {
            PrpList.write(page().address(), bus, pages);
            prp2 = page().busAddress();
        }
        return submit(q, opcode, nsid, bus, prp2, cdw10to11, cdw12);
    }

    /** Executes Dataset Management with one range, which {@code fill} writes. */
    int executeWithPage(int opcode, int nsid, Consumer<DmaBuffer> fill, long cdw10to11) {
        QueuePair q = queue();
        fill.accept(page());
        return submit(q, opcode, nsid, page().busAddress(), 0, cdw10to11, 0);
    }

    private int submit(
            QueuePair q, int opcode, int nsid, long prp1, long prp2, long cdw10to11, int cdw12) {
        answer.arrived = false;
        if (q.post(Sqe.cdw0to1(opcode, nsid), prp1, prp2, cdw10to11, cdw12, COOKIE) < 0) {
            throw new IllegalStateException("a synchronous command is in flight already");
        }
        q.ring();
        long timeout = controller.options().ioTimeoutNanos();
        boolean done;
        try {
            done =
                    controller
                            .clock()
                            .await(
                                    () -> {
                                        q.poll(1, answer);
                                        return answer.arrived;
                                    },
                                    timeout);
        } catch (ControllerFault e) {
            throw withQueueGone(q, e);
        }
        if (!done) {
            throw withQueueGone(
                    q,
                    ControllerFault.timeout(controller.locator(), NvmOpcode.name(opcode), timeout));
        }
        return answer.status;
    }

    private ControllerFault withQueueGone(QueuePair q, ControllerFault why) {
        queue = null;
        try {
            controller.retire(q);
        } catch (ControllerFault e) {
            why.addSuppressed(e);
        }
        return why;
    }

    /** Gives the page back; the queue is the controller's. Only when no command is in flight. */
    void free() {
        queue = null;
        if (list != null) {
            list.close();
            list = null;
        }
    }
}
