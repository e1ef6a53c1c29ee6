package dev.peerlane.nvme;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.ErrorLogEntry;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.SmartLog;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The admin queue of a controller (NVMe Base 2.0, 5). It executes one command at a time and waits
 * for each for a bounded time.
 *
 * <p>If the wait ends in any way other than by the command's completion, the queue ends, because
 * the controller may still write to the data page. Only {@link Controller#reset} creates a new
 * queue. Until then, memory that the command names must stay allocated.
 *
 * <p>Used by the controller's owner thread. A call by another thread is refused before it does
 * anything.
 */
public final class Admin {
    private static final int PAGE = Bits.PAGE_BYTES;
    private static final int EVENT_COOKIE = -2;
    private static final int MAX_KEPT_EVENTS = 64;
    private static final int ACL_NOT_KNOWN = 1;

    private final PciDevice device;
    private final String locator;
    private final Clock clock;
    private final ControllerOptions options;
    private final OwnerThread owner;
    private final Deque<AsyncEvent> events = new ArrayDeque<>();
    private final Completions handler = new Handler();

    private @Nullable QueuePair queue;
    private @Nullable DmaBuffer page;

    private int sequence;
    private int awaited;
    private boolean answered;
    private int status;
    private int dw0;
    private int eventsHeld;
    private int eventsToArm;
    private int abortsOut;
    private int abortLimit = ACL_NOT_KNOWN;
    private boolean waiting;

    Admin(PciDevice device, OwnerThread owner, Clock clock, ControllerOptions options) {
        this.device = device;
        this.locator = device.locator();
        this.owner = owner;
        this.clock = clock;
        this.options = options;
    }

    private final class Handler extends Completions {
        @Override
        public void completed(int cookie, int commandStatus) {
            if (cookie == EVENT_COOKIE) {
                eventArrived(commandStatus);
            } else if (cookie == awaited) {
                answered = true;
                status = commandStatus;
                dw0 = live().dw0();
            } else {
                abortsOut--; // only an Abort is ever left unanswered
            }
        }
    }

    void attach(QueuePair newQueue, DmaBuffer newPage) {
        queue = newQueue;
        page = newPage;
        events.clear();
        eventsHeld = 0;
        eventsToArm = 0;
        abortsOut = 0;
    }

    void detach() {
        queue = null;
        page = null;
    }

    int depth() {
        return live().depth();
    }

    void abortLimit(int limit) {
        abortLimit = limit;
    }

    private QueuePair live() {
        owner.check(locator);
        if (queue == null) {
            throw ControllerFault.stopped(locator, "its admin queue is not set up");
        }
        // The rings are written by raw address, so not after the fabric has unmapped them.
        if (!livePage().segment().scope().isAlive()) {
            throw ControllerFault.stopped(locator, "its fabric was closed");
        }
        return queue;
    }

    private DmaBuffer livePage() {
        owner.check(locator);
        if (page == null) {
            throw ControllerFault.stopped(locator, "its admin queue is not set up");
        }
        return page;
    }

    private DmaBuffer emptyPage() {
        idle();
        DmaBuffer data = livePage();
        data.segment().fill((byte) 0);
        return data;
    }

    /**
     * Executes a command and waits for it. An error status is returned, not thrown.
     *
     * @param opcode opcode, from {@link AdminOpcode} or vendor specific
     * @param nsid namespace identifier, 0 if the command takes none
     * @param dataBusAddress bus address of the data, up to 4 KiB within one page; 0 for no data
     * @param cdw10to15 command dwords 10 to 15; missing ones are 0
     * @return status and dword 0 of the completion
     * @throws ControllerFault if the command was not answered in time or the controller failed; the
     *     data must stay allocated until the controller is reset or closed
     */
    public AdminResult execute(int opcode, int nsid, long dataBusAddress, int... cdw10to15) {
        return execute(opcode, nsid, dataBusAddress, 0, cdw10to15);
    }

    /** Executes a command with data in up to two pages. */
    private AdminResult execute(int opcode, int nsid, long prp1, long prp2, int[] cdw10to15) {
        QueuePair q = idle();
        waiting = true;
        try {
            start(q, opcode, nsid, prp1, prp2, cdw10to15);
            if (!await(q, options.adminTimeoutNanos())) {
                q.checkHealth();
                throw ControllerFault.timeout(
                        locator, AdminOpcode.name(opcode), options.adminTimeoutNanos());
            }
            return new AdminResult(status, dw0);
        } catch (RuntimeException | Error e) {
            // thrown by the poll, by the clock, or by what a turn calls
            throw ended(q, e);
        } finally {
            waiting = false;
        }
    }

    /**
     * Returns the queue. Refuses while a command is awaited, because its answer and its data page
     * are in use.
     */
    private QueuePair idle() {
        QueuePair q = live();
        if (waiting) {
            throw new IllegalStateException(locator + ": an admin command is in flight already");
        }
        if (q.inFlight() == q.depth()) {
            throw ControllerFault.stopped(locator, "its admin queue is full of unanswered Aborts");
        }
        return q;
    }

    /**
     * Ends the queue after a command was not answered. Returns the exception to throw, or throws
     * it.
     */
    private RuntimeException ended(QueuePair q, Throwable why) {
        if (why instanceof InternalError e) {
            PeerlaneException silent = MemoryFault.of(locator, e);
            q.kill(ControllerFault.stopped(locator, String.valueOf(silent.getMessage())));
            return silent;
        }
        q.kill(
                why instanceof ControllerFault fault
                        ? fault
                        : ControllerFault.stopped(locator, "an admin command ended in " + why));
        if (why instanceof Error e) {
            throw e;
        }
        return (RuntimeException) why;
    }

    private void start(QueuePair q, int opcode, int nsid, long prp1, long prp2, int... cdws) {
        int[] all = Arrays.copyOf(cdws, 6);
        long cdw10to11 = Integer.toUnsignedLong(all[0]) | ((long) all[1] << 32);
        sequence = (sequence + 1) & Integer.MAX_VALUE;
        awaited = sequence;
        answered = false;
        q.post(Sqe.cdw0to1(opcode, nsid), prp1, prp2, cdw10to11, all[2], awaited);
        q.amend(all[3], all[4], all[5]);
        q.ring();
    }

    private boolean await(QueuePair q, long timeoutNanos) {
        return clock.await(
                () -> {
                    q.poll(1, handler);
                    return answered;
                },
                timeoutNanos);
    }

    /**
     * Doorbell Buffer Config (5.8): sets where shadow doorbells and EventIdx are, one page each.
     */
    AdminResult configureDoorbells(long shadows, long events) {
        return execute(AdminOpcode.DOORBELL_BUFFER_CONFIG, 0, shadows, events, new int[0]);
    }

    /** Executes a command, returns dword 0 of its completion, and throws its error status. */
    int mustSucceed(int opcode, int nsid, long dataBusAddress, int... cdw10to15) {
        AdminResult result = execute(opcode, nsid, dataBusAddress, cdw10to15);
        if (!Status.isSuccess(result.status())) {
            throw new NvmeStatusException(locator, AdminOpcode.name(opcode), result.status());
        }
        return result.dw0();
    }

    /**
     * Executes Identify (5.17).
     *
     * @param cns what to return, from {@link Cns}
     * @param nsid namespace identifier, if {@code cns} takes one
     * @param csi command set identifier, if {@code cns} takes one
     * @return a copy of the 4096 bytes
     * @throws NvmeStatusException if the controller refuses
     */
    public MemorySegment identify(int cns, int nsid, int csi) {
        DmaBuffer data = emptyPage();
        AdminResult result =
                execute(
                        AdminOpcode.IDENTIFY,
                        nsid,
                        data.busAddress(),
                        AdminCommand.identifyCdw10(cns, 0),
                        AdminCommand.identifyCdw11(csi));
        if (!Status.isSuccess(result.status())) {
            throw new NvmeStatusException(locator, Cns.name(cns), result.status());
        }
        return copyOf(data, PAGE);
    }

    /**
     * Executes Identify Controller (5.17) with a peer's memory as its destination: a DMA write that
     * needs no namespace and touches no medium.
     *
     * <p>Completion does not mean arrival: the data may still be in flight to the peer's memory. A
     * {@link dev.peerlane.copy.ReadFence} tells when data of Reads has arrived.
     *
     * @param page 4096 bytes on a page boundary
     * @throws NvmeStatusException if the controller refuses
     */
    public void identifyInto(PeerBuffer page) {
        if (page.sizeBytes() < PAGE || (page.busAddress() & (PAGE - 1)) != 0) {
            throw new IllegalArgumentException("Identify needs one whole page");
        }
        owner.check(locator);
        page.admit(device.bdf());
        mustSucceed(
                AdminOpcode.IDENTIFY,
                0,
                page.busAddress(),
                AdminCommand.identifyCdw10(Cns.CONTROLLER, 0),
                AdminCommand.identifyCdw11(0));
    }

    private static MemorySegment copyOf(DmaBuffer data, int bytes) {
        MemorySegment copy = MemorySegment.ofArray(new byte[bytes]);
        MemorySegment.copy(data.segment(), 0, copy, 0, bytes);
        return copy;
    }

    /**
     * Executes Get Log Page (5.16) from offset 0.
     *
     * @param lid log page identifier, from {@link LogPage}
     * @param nsid namespace identifier, or {@link AdminCommand#NSID_ALL}
     * @param bytes number of bytes to read; a multiple of 4, at most 4096
     * @throws NvmeStatusException if the controller refuses
     */
    public MemorySegment log(int lid, int nsid, int bytes) {
        if (bytes <= 0 || bytes > PAGE || (bytes & 3) != 0) {
            throw new IllegalArgumentException("log page of %d bytes".formatted(bytes));
        }
        DmaBuffer data = emptyPage();
        mustSucceed(
                AdminOpcode.GET_LOG_PAGE,
                nsid,
                data.busAddress(),
                AdminCommand.getLogPageCdw10(lid, 0, false, bytes),
                AdminCommand.getLogPageCdw11(bytes, 0));
        return copyOf(data, bytes);
    }

    /** Reads the SMART / Health Information log (5.16.1.3). */
    public SmartLog smart() {
        return new SmartLog(log(LogPage.SMART, AdminCommand.NSID_ALL, SmartLog.BYTES));
    }

    /**
     * Reads the newest entries of the Error Information log (5.16.1.2), newest first. Empty entries
     * are skipped.
     *
     * @param max maximum number of entries, 1 to 64
     */
    public List<ErrorLogEntry> errors(int max) {
        MemorySegment log = log(LogPage.ERROR, AdminCommand.NSID_ALL, Math.multiplyExact(max, 64));
        List<ErrorLogEntry> entries = new ArrayList<>();
        for (long at = 0; at < log.byteSize(); at += ErrorLogEntry.BYTES) {
            ErrorLogEntry entry = new ErrorLogEntry(log.asSlice(at, ErrorLogEntry.BYTES));
            if (entry.errorCount() != 0) {
                entries.add(entry);
            }
        }
        return entries;
    }

    /**
     * Executes Get Features (5.15) and returns dword 0.
     *
     * @param fid feature identifier, from {@link Feature}
     * @param select which value, such as {@link AdminCommand#SELECT_CURRENT}
     * @throws NvmeStatusException if the controller refuses
     */
    public int feature(int fid, int select) {
        return mustSucceed(
                AdminOpcode.GET_FEATURES, 0, 0, AdminCommand.getFeaturesCdw10(fid, select));
    }

    /**
     * Executes Set Features (5.27). The value holds until the next reset.
     *
     * @param fid feature identifier, from {@link Feature}
     * @param value command dword 11
     * @return dword 0 of the completion
     * @throws NvmeStatusException if the controller refuses
     */
    public int changeFeature(int fid, int value) {
        return mustSucceed(
                AdminOpcode.SET_FEATURES, 0, 0, AdminCommand.setFeaturesCdw10(fid, false), value);
    }

    /**
     * Executes Abort (5.1), which asks the controller to end a command early. Waits for the answer
     * for at most {@link ControllerOptions#abortTimeoutNanos}. A missing answer does not end the
     * queue.
     *
     * @return the outcome, as text for a person
     */
    String abort(int sqid, int cid) {
        owner.check(locator);
        if (abortsOut >= abortLimit) {
            return "no Abort sent: %d are unanswered, the limit".formatted(abortsOut);
        }
        QueuePair q = idle();
        abortsOut++;
        boolean done;
        waiting = true;
        try {
            start(q, AdminOpcode.ABORT, 0, 0, 0, AdminCommand.abortCdw10(sqid, cid));
            done = await(q, options.abortTimeoutNanos());
        } catch (RuntimeException | Error e) {
            throw ended(q, e);
        } finally {
            waiting = false;
        }
        if (!done) {
            awaited = 0;
            return "Abort not answered within %d ms"
                    .formatted(options.abortTimeoutNanos() / 1_000_000);
        }
        abortsOut--;
        if (!Status.isSuccess(status)) {
            return "Abort refused: " + Status.describe(status);
        }
        return AdminCommand.isAborted(dw0)
                ? "the controller says that it aborted the command"
                : "the controller did not abort the command";
    }

    /** Sends Asynchronous Event Requests (5.2) for the controller to hold. */
    void armEvents(int count) {
        QueuePair q = live();
        for (int i = 0; i < count; i++) {
            if (q.post(AdminOpcode.ASYNC_EVENT_REQUEST, 0, 0, 0, 0, EVENT_COOKIE) < 0) {
                break;
            }
            eventsHeld++;
        }
        q.ring();
    }

    private void eventArrived(int eventStatus) {
        eventsHeld--;
        if (Status.isSuccess(eventStatus)) {
            eventsToArm++;
            if (events.size() < MAX_KEPT_EVENTS) {
                events.add(new AsyncEvent(live().dw0()));
            }
        }
    }

    /** Returns how many Asynchronous Event Requests the controller holds. */
    public int eventsHeld() {
        return eventsHeld;
    }

    /**
     * Takes the asynchronous events that have arrived. Reads their log pages, so that the
     * controller can report the next event of the same type, and sends new requests.
     */
    public List<AsyncEvent> pollEvents() {
        QueuePair q = live();
        q.poll(q.depth(), handler);
        List<AsyncEvent> taken = new ArrayList<>(events);
        events.clear();
        for (AsyncEvent event : taken) {
            if (event.type() <= AsyncEvent.TYPE_NOTICE) {
                execute(
                        AdminOpcode.GET_LOG_PAGE,
                        AdminCommand.NSID_ALL,
                        livePage().busAddress(),
                        AdminCommand.getLogPageCdw10(event.lid(), 0, false, SmartLog.BYTES),
                        AdminCommand.getLogPageCdw11(SmartLog.BYTES, 0));
            }
        }
        int again = eventsToArm;
        eventsToArm = 0;
        armEvents(again);
        return taken;
    }
}
