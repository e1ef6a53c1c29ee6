package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.Reads;
import dev.peerlane.emulator.media.EmulatedNamespace;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One command, from its fetch to its completion. The objects are reused, so that an I/O allocates
 * nothing.
 */
final class Command {
    private final MemorySegment sqe = MemorySegment.ofArray(new byte[Sqe.BYTES]);
    private final DataPages pages = new DataPages();
    private final Reads reads = new Reads();
    private final List<MemorySegment> lists = new ArrayList<>();
    private @Nullable SubmissionQueue queue;
    private @Nullable MemorySegment buffer;
    private @Nullable EmulatedNamespace namespace;
    private long entryAddress;
    private int cdw0;
    private int nsid;
    private int cdw10;
    private int cdw11;
    private int cdw12;
    private boolean ownsIdentifier;
    private boolean toHost;
    private long dueNanos;
    private long bytes;
    private int status;
    private int dw0;
    private @Nullable Fault fault;
    private boolean answered;

    /** Returns the submission queue entry. */
    MemorySegment sqe() {
        return sqe;
    }

    /** Returns the pieces of memory that hold the data. */
    DataPages pages() {
        return pages;
    }

    /** Returns the outstanding reads of this command. */
    Reads reads() {
        return reads;
    }

    /** Returns the PRP lists that were requested so far, if the fabric answers later. */
    List<MemorySegment> lists() {
        return lists;
    }

    /** Returns the address from which the entry was read. */
    long entryAddress() {
        return entryAddress;
    }

    /** Begins the fetch of the entry from a queue. */
    void fetching(SubmissionQueue from, long address) {
        queue = from;
        entryAddress = address;
        reads.newLife();
        lists.clear();
    }

    /** Takes the entry, which has arrived, and caches the fields that are used often. */
    void arrived() {
        cdw0 = Sqe.cdw0(sqe, 0);
        nsid = Sqe.nsid(sqe, 0);
        cdw10 = Sqe.cdw10(sqe, 0);
        cdw11 = Sqe.cdw11(sqe, 0);
        cdw12 = Sqe.cdw12(sqe, 0);
    }

    /** Begins a command whose entry was fetched from a queue. */
    void fetched(SubmissionQueue from, boolean hasOwnIdentifier) {
        queue = from;
        ownsIdentifier = hasOwnIdentifier;
        namespace = null;
        bytes = 0;
        status = 0;
        dw0 = 0;
        fault = null;
        answered = false;
    }

    /**
     * Notes that the completion has been posted although the command goes on: the host may reuse
     * its identifier.
     */
    void answered() {
        answered = true;
        ownsIdentifier = false;
    }

    /**
     * Returns whether the host does not see the end of this command: its completion is never
     * posted, or was posted before.
     */
    boolean endsUnseen() {
        return answered || suffers(Fault.Kind.ZOMBIE);
    }

    /** Sets the fault of this command; null for none. */
    void fault(@Nullable Fault planned) {
        fault = planned;
    }

    /** Returns whether this command has a fault of a given kind. */
    boolean suffers(Fault.Kind kind) {
        return fault != null && fault.kind() == kind;
    }

    /** Returns the fault of this command, or null. */
    @Nullable Fault fault() {
        return fault;
    }

    /** Sets the time before which the command does not begin. */
    void delay(long until) {
        dueNanos = until;
    }

    SubmissionQueue queue() {
        return Objects.requireNonNull(queue);
    }

    boolean isAdmin() {
        return queue().qid() == 0;
    }

    boolean ownsIdentifier() {
        return ownsIdentifier;
    }

    int opcode() {
        return cdw0 & 0xff;
    }

    int cid() {
        return cdw0 >>> 16;
    }

    int psdt() {
        return (cdw0 >>> 14) & 3;
    }

    int fuse() {
        return (cdw0 >>> 8) & 3;
    }

    int nsid() {
        return nsid;
    }

    int cdw10() {
        return cdw10;
    }

    int cdw11() {
        return cdw11;
    }

    int cdw12() {
        return cdw12;
    }

    long dueNanos() {
        return dueNanos;
    }

    /** Sets the namespace of this command. */
    void namespace(EmulatedNamespace target) {
        namespace = target;
    }

    EmulatedNamespace namespace() {
        return Objects.requireNonNull(namespace);
    }

    /** Sets the length and direction of the data transfer. */
    void transfer(long dataBytes, boolean toTheHost) {
        bytes = dataBytes;
        toHost = toTheHost;
    }

    /** Returns the length of the data transfer; 0 for none. */
    long bytes() {
        return bytes;
    }

    boolean toHost() {
        return toHost;
    }

    /** Sets the buffer inside the controller that holds the data; null for none. */
    void buffer(@Nullable MemorySegment memory) {
        buffer = memory;
    }

    MemorySegment buffer() {
        return Objects.requireNonNull(buffer);
    }

    boolean hasBuffer() {
        return buffer != null;
    }

    /** Sets the status with which the command ends, without phase tag. */
    void end(int finalStatus) {
        status = finalStatus;
    }

    int status() {
        return status;
    }

    /** Sets dword 0 of the completion. */
    void result(int dword0) {
        dw0 = dword0;
    }

    int result() {
        return dw0;
    }
}
