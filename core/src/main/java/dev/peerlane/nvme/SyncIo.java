package dev.peerlane.nvme;

import dev.peerlane.block.Completions;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sqe;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Executes I/O commands one at a time and waits for each. If the wait ends in any way other than by
 * the command's completion, the queue is deleted before the call returns, so that no buffer is
 * touched afterwards. A call that is refused, because another thread makes it or because it comes
 * from inside the wait, posts nothing and leaves the PRP list unchanged.
 */
final class SyncIo {
    private static final int ENTRIES = 4;

    /** What synchronous commands use of their controller. */
    interface Host {
        /** Creates the queue pair for the commands. Throws if the controller takes no commands. */
        QueuePair createQueuePair(int depth);

        /** Ensures that no command of a pair is in flight, now or later. */
        void retire(QueuePair q);
    }

    private final Host host;
    private final String locator;
    private final OwnerThread owner;
    private final DmaDomain dma;
    private final Clock clock;
    private final long timeoutNanos;
    private final Answer answer = new Answer();
    private @Nullable QueuePair queue;
    private @Nullable DmaBuffer list;
    private boolean waiting;

    SyncIo(
            Host host,
            String locator,
            OwnerThread owner,
            DmaDomain dma,
            Clock clock,
            long timeoutNanos) {
        this.host = host;
        this.locator = locator;
        this.owner = owner;
        this.dma = dma;
        this.clock = clock;
        this.timeoutNanos = timeoutNanos;
    }

    /** The answer to the command with one cookie. Answers to earlier commands do not match. */
    private static final class Answer extends Completions {
        private int cookie;
        private boolean arrived;
        private int status;

        int await() {
            cookie = (cookie + 1) & Integer.MAX_VALUE;
            arrived = false;
            return cookie;
        }

        @Override
        public void completed(int ofCookie, int commandStatus) {
            if (ofCookie == cookie) {
                arrived = true;
                status = commandStatus;
            }
        }
    }

    private QueuePair queue() {
        owner.check(locator);
        if (waiting) {
            throw new IllegalStateException(
                    locator + ": a synchronous command is in flight already");
        }
        QueuePair q = queue;
        if (q == null || !q.isAlive()) {
            q = host.createQueuePair(ENTRIES - 1);
            queue = q;
        }
        return q;
    }

    /** Returns a page of host memory, for the PRP list of a transfer or for ranges. */
    private DmaBuffer page() {
        if (list == null) {
            list = dma.allocate(PrpList.PAGE);
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
        return submit(q, Sqe.cdw0to1(opcode, nsid), bus, prp2, cdw10to11, cdw12);
    }

    /** Executes Dataset Management with one range, which {@code fill} writes. */
    int executeWithPage(int opcode, int nsid, Consumer<DmaBuffer> fill, long cdw10to11) {
        QueuePair q = queue();
        fill.accept(page());
        return submit(q, Sqe.cdw0to1(opcode, nsid), page().busAddress(), 0, cdw10to11, 0);
    }

    private static int opcodeOf(long cdw0to1) {
        return (int) cdw0to1 & 0xff;
    }

    private int submit(QueuePair q, long cdw0to1, long prp1, long prp2, long cdw10to11, int cdw12) {
        waiting = true;
        try {
            int cookie = answer.await();
            if (q.post(cdw0to1, prp1, prp2, cdw10to11, cdw12, cookie) < 0) {
                throw new IllegalStateException(q + " is full");
            }
            q.ring();
            boolean done =
                    clock.await(
                            () -> {
                                q.poll(1, answer);
                                return answer.arrived;
                            },
                            timeoutNanos);
            if (!done) {
                q.checkHealth();
                throw ControllerFault.timeout(
                        locator, NvmOpcode.name(opcodeOf(cdw0to1)), timeoutNanos);
            }
            if (opcodeOf(cdw0to1) == NvmOpcode.READ && !Status.isSuccess(answer.status)) {
                // The error status is only the controller's word. If it moves the data anyway, it
                // must not find memory that the caller has freed.
                queue = null;
                host.retire(q);
            }
            return answer.status;
        } catch (InternalError e) {
            retire(q, e);
            throw MemoryFault.of(locator, e);
        } catch (RuntimeException | Error e) {
            // thrown by the poll, by the clock, or by what a turn calls
            retire(q, e);
            throw e;
        } finally {
            waiting = false;
        }
    }

    /**
     * Retires the queue. If that fails, the controller takes no more commands and all memory stays
     * allocated.
     */
    private void retire(QueuePair q, Throwable why) {
        queue = null;
        try {
            host.retire(q);
        } catch (RuntimeException | Error e) {
            why.addSuppressed(e);
        }
    }

    /**
     * Frees the page. The queue belongs to the controller. Call this only when no command is in
     * flight.
     */
    void free() {
        queue = null;
        if (list != null) {
            list.close();
            list = null;
        }
    }
}
