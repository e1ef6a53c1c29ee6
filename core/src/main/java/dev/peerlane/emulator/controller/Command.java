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
 * One command between its fetch and its completion. Commands are used again and again, so that an
 * I/O allocates nothing.
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

    /** Returns where its data is in memory. */
    DataPages pages() {
        return pages;
    }

    /** Returns the reads it waits for. */
    Reads reads() {
        return reads;
    }

    /** Returns the PRP lists that were asked for so far, where the fabric answers later. */
    List<MemorySegment> lists() {
        return lists;
    }

    /** Returns where its entry was read from. */
    long entryAddress() {
        return entryAddress;
    }

    /** Its entry is being fetched from {@code queue}, at an address. */
    void fetching(SubmissionQueue from, long address) {
        queue = from;
        entryAddress = address;
        reads.newLife();
        lists.clear();
    }

    /** Its entry has arrived; looks up what is asked for again and again. */
    void arrived() {
        cdw0 = Sqe.cdw0(sqe, 0);
        nsid = Sqe.nsid(sqe, 0);
        cdw10 = Sqe.cdw10(sqe, 0);
        cdw11 = Sqe.cdw11(sqe, 0);
        cdw12 = Sqe.cdw12(sqe, 0);
    }

    /** Starts a life: the entry was fetched from {@code queue}. */
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

    /** Its completion has been posted, though it goes on: the identifier is the host's again. */
    void answered() {
        answered = true;
        ownsIdentifier = false;
    }

    /** Returns whether nobody sees its end: a completion is never posted, or was already. */
    boolean endsUnseen() {
        return answered || suffers(Fault.Kind.ZOMBIE);
    }

    /** Sets what goes wrong with it; null for nothing. */
    void fault(@Nullable Fault planned) {
        fault = planned;
    }

    /** Returns whether this is what goes wrong with it. */
    boolean suffers(Fault.Kind kind) {
        return fault != null && fault.kind() == kind;
    }

    /** Returns what goes wrong with it, or null. */
    @Nullable Fault fault() {
        return fault;
    }

    /** Sets when it may begin. */
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

    /** Sets the namespace that it is for. */
    void namespace(EmulatedNamespace target) {
        namespace = target;
    }

    EmulatedNamespace namespace() {
        return Objects.requireNonNull(namespace);
    }

    /** Sets how much data it moves and which way. */
    void transfer(long dataBytes, boolean toTheHost) {
        bytes = dataBytes;
        toHost = toTheHost;
    }

    /** Returns how much data it moves; 0 for none. */
    long bytes() {
        return bytes;
    }

    boolean toHost() {
        return toHost;
    }

    /** Gives it the memory inside the controller where its data is, or takes it away. */
    void buffer(@Nullable MemorySegment memory) {
        buffer = memory;
    }

    MemorySegment buffer() {
        return Objects.requireNonNull(buffer);
    }

    boolean hasBuffer() {
        return buffer != null;
    }

    /** Sets how it ends: a status without phase tag. */
    void end(int finalStatus) {
        status = finalStatus;
    }

    int status() {
        return status;
    }

    /** Sets dword 0 of its completion. */
    void result(int dword0) {
        dw0 = dword0;
    }

    int result() {
        return dw0;
    }
}
