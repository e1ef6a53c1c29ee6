package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests what the analyzer of queues finds on both sides, and that it accepts correct traffic. */
class QueueAnalyzerTest {
    private static final long ASQ = 0x10000;
    private static final long ACQ = 0x20000;
    private static final long SQ = 0x30000;
    private static final long CQ = 0x40000;
    private static final int ADMIN = 8;
    private static final int ENTRIES = 4;

    private final List<String> host = new ArrayList<>();
    private final List<String> device = new ArrayList<>();
    private final QueueAnalyzer analyzer = new QueueAnalyzer("a", 0, host::add, device::add);
    private int adminTail;
    private int adminHead;

    QueueAnalyzerTest() {
        analyzer.stored(Reg.AQA, (ADMIN - 1) << 16 | (ADMIN - 1), 4);
        analyzer.stored(Reg.ASQ, ASQ, 8);
        analyzer.stored(Reg.ACQ + 4, 0, 4);
        analyzer.stored(Reg.ACQ, ACQ, 4);
        analyzer.stored(Reg.CC, 1, 4);
        admin(AdminOpcode.CREATE_IO_CQ, AdminCommand.createQueueCdw10(1, ENTRIES), 1, CQ);
        int cqid = AdminCommand.createSqCdw11(true, 0, 1);
        admin(AdminOpcode.CREATE_IO_SQ, AdminCommand.createQueueCdw10(1, ENTRIES), cqid, SQ);
    }

    private void admin(int opcode, int cdw10, int cdw11, long prp1) {
        long at = ASQ + (long) (adminTail++ % ADMIN) * Sqe.BYTES;
        analyzer.stored(Reg.DOORBELLS, adminTail % ADMIN, 4);
        MemorySegment sqe = sqe(opcode, adminTail);
        sqe.set(ValueLayout.JAVA_LONG, Sqe.PRP1, prp1);
        sqe.set(ValueLayout.JAVA_INT, Sqe.CDW10, cdw10);
        sqe.set(ValueLayout.JAVA_INT, Sqe.CDW11, cdw11);
        analyzer.fetched(0, at, sqe);
        long to = ACQ + (long) (adminHead++ % ADMIN) * Cqe.BYTES;
        analyzer.posted(to, cqe(adminTail % ADMIN, 0, adminTail, 1));
        analyzer.stored(Reg.DOORBELLS + 4, adminHead % ADMIN, 4);
    }

    private static MemorySegment sqe(int opcode, int cid) {
        MemorySegment sqe = MemorySegment.ofArray(new long[Sqe.BYTES / 8]);
        sqe.set(ValueLayout.JAVA_INT, 0, Sqe.cdw0(opcode, cid));
        return sqe;
    }

    private static MemorySegment cqe(int sqhd, int sqid, int cid, int phase) {
        long dw23 = Cqe.dw23(sqhd, sqid, cid, 0, phase);
        return MemorySegment.ofArray(new long[] {0, dw23});
    }

    private void tail(int value) {
        analyzer.stored(Reg.DOORBELLS + 8, value, 4);
    }

    private void head(int value) {
        analyzer.stored(Reg.DOORBELLS + 12, value, 4);
    }

    private void fetch(int place, int cid) {
        analyzer.fetched(1, SQ + (long) place * Sqe.BYTES, sqe(2, cid));
    }

    private void post(int place, int sqhd, int cid, int phase) {
        analyzer.posted(CQ + (long) place * Cqe.BYTES, cqe(sqhd, 1, cid, phase));
    }

    private static void finds(List<String> found, String what) {
        assertThat(found).singleElement().asString().contains(what);
    }

    @Test
    void manyTurnsOfBothRingsAreNoViolation() {
        for (int i = 0; i < 5 * ENTRIES; i++) {
            tail((i + 1) % ENTRIES);
            fetch(i % ENTRIES, 100 + i);
            post(i % ENTRIES, (i + 1) % ENTRIES, 100 + i, 1 - i / ENTRIES % 2);
            head((i + 1) % ENTRIES);
        }
        admin(AdminOpcode.DELETE_IO_SQ, AdminCommand.deleteQueueCdw10(1), 0, 0);
        admin(AdminOpcode.DELETE_IO_CQ, AdminCommand.deleteQueueCdw10(1), 0, 0);
        assertThat(host).isEmpty();
        assertThat(device).isEmpty();
    }

    @Test
    void anIdentifierInUseIsFound() {
        tail(2);
        fetch(0, 7);
        fetch(1, 7);
        finds(host, "command identifier 7 of queue 1 is in use");
    }

    @Test
    void aTailThatPassesTheHeadIsFound() {
        tail(3);
        tail(1);
        finds(host, "tail 1 of queue 1: it was 3, 0 entries were free");
    }

    @Test
    void aTailThatMakesAFullQueueLookEmptyIsFound() {
        tail(3);
        tail(0);
        finds(host, "tail 0 of queue 1: it was 3, 0 entries were free");
    }

    @Test
    void aTailOutsideTheRingIsFound() {
        tail(ENTRIES);
        finds(host, "tail 4 of queue 1");
    }

    @Test
    void aHeadBeyondWhatWasPostedIsFound() {
        head(1);
        finds(host, "head 1 of completion queue 1: it was 0, 0 entries were there");
    }

    @Test
    void doorbellsOfQueuesThatAreGoneAreFound() {
        analyzer.reset();
        tail(1);
        finds(host, "tail doorbell of queue 1, which does not exist");
    }

    @Test
    void aCompletionQueueThatIsDeletedInUseIsFound() {
        admin(AdminOpcode.DELETE_IO_CQ, AdminCommand.deleteQueueCdw10(1), 0, 0);
        finds(host, "completion queue 1 is deleted in use");
    }

    @Test
    void aFetchBeyondTheTailIsFound() {
        fetch(0, 1);
        finds(device, "queue 1 is empty and was read");
    }

    @Test
    void aFetchFromElsewhereIsFound() {
        tail(2);
        fetch(1, 1);
        finds(device, "queue 1 was read at 0x30040");
    }

    @Test
    void aCompletionOfNoCommandIsFound() {
        post(0, 0, 9, 1);
        finds(device, "a completion of 9 in queue 1, not under way");
    }

    @Test
    void aWrongPhaseIsFound() {
        tail(1);
        fetch(0, 1);
        post(0, 1, 1, 0);
        finds(device, "a completion in queue 1 has the wrong phase");
    }

    @Test
    void aCompletionAtTheWrongPlaceIsFound() {
        tail(1);
        fetch(0, 1);
        post(2, 1, 1, 1);
        finds(device, "a completion at 0x40020");
    }

    @Test
    void anOverflowingCompletionQueueIsFound() {
        for (int i = 0; i < ENTRIES; i++) {
            tail((i + 1) % ENTRIES);
            fetch(i, i);
            post(i, (i + 1) % ENTRIES, i, 1);
        }
        finds(device, "completion queue 1 overflows");
    }

    @Test
    void aHeadPointerBeyondTheTailIsFound() {
        tail(1);
        fetch(0, 1);
        post(0, 3, 1, 1);
        finds(device, "head pointer 3 of queue 1");
    }

    /** Configures doorbells in memory. */
    private void shadows() {
        admin(AdminOpcode.DOORBELL_BUFFER_CONFIG, 0, 0, 0x50000);
    }

    @Test
    void withDoorbellsInMemoryTheRegistersCarryNoValue() {
        shadows();
        tail(3);
        analyzer.shadowed(Reg.DOORBELLS + 8, 1);
        fetch(0, 5);
        tail(3);
        post(0, 1, 5, 1);
        analyzer.shadowed(Reg.DOORBELLS + 12, 1);
        assertThat(host).isEmpty();
        assertThat(device).isEmpty();
        analyzer.shadowed(Reg.DOORBELLS + 8, 1);
        finds(host, "tail 1 of queue 1: it was 1");
        fetch(1, 6);
        finds(device, "queue 1 is empty and was read");
    }

    @Test
    void registersOfQueuesThatDoNotExistAreFoundWithDoorbellsInMemoryToo() {
        shadows();
        analyzer.stored(Reg.DOORBELLS + 16, 1, 4);
        finds(host, "tail doorbell of queue 2, which does not exist");
    }

    @Test
    void doorbellsInMemoryEndWithAReset() {
        shadows();
        analyzer.reset();
        analyzer.shadowed(Reg.DOORBELLS, 1);
        finds(device, "doorbells in memory, which were never configured");
    }
}
