package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.pci.Bdf;
import dev.peerlane.sim.SlotLedger.Use;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests what the ledger of slots finds, and what it allows. */
class SlotLedgerTest {
    private static final Bdf SOURCE = new Bdf(0, 3, 0, 0);
    private static final Bdf TARGET = new Bdf(0, 4, 0, 0);
    private static final Object COPY = new Object();
    private static final SlotLedger.Side FROM = new SlotLedger.Side(COPY, SOURCE);
    private static final SlotLedger.Side TO = new SlotLedger.Side(COPY, TARGET);
    private static final long BASE = 0x4000_0000L;

    private final List<String> found = new ArrayList<>();
    private final SlotLedger ledger = new SlotLedger(found::add);

    SlotLedgerTest() {
        ledger.attached(FROM, new Memory(), 0, 4096, 4096, 4, 0);
    }

    private void finds(String what) {
        assertThat(found).singleElement().asString().contains(what);
    }

    @Test
    void aChunkOnItsWayIsNoViolation() {
        ledger.posted(FROM, Use.READ, 1);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        ledger.completed(FROM, 1);
        ledger.moved(SOURCE, BASE + 4096 + 512, 512, false);
        ledger.posted(TO, Use.WRITE, 1);
        ledger.moved(TARGET, BASE + 4096, 4096, true);
        ledger.completed(TO, 1);
        ledger.end(COPY);
        assertThat(found).isEmpty();
    }

    @Test
    void aCommandForADriveThatIsGoneIsOverAndOneForADriveThatIsBackIsNot() {
        ledger.gone(SOURCE);
        ledger.posted(FROM, Use.READ, 1);
        ledger.end(COPY);
        assertThat(found).isEmpty();
        ledger.attached(FROM, new Memory(), 0, 4096, 4096, 4, 0);
        ledger.enabled(SOURCE);
        ledger.posted(FROM, Use.READ, 1);
        ledger.end(COPY);
        finds("the copy is over, and there is a command for slot 1, of the Read of 0000:03:00.0");
    }

    @Test
    void aSecondCommandForABusySlotIsFound() {
        ledger.posted(FROM, Use.READ, 1);
        ledger.posted(TO, Use.WRITE, 1);
        finds("slot 1, of the Read of 0000:03:00.0 got a second command: Write");
    }

    @Test
    void aCommandForASlotThatOverlapsABusyOneIsFound() {
        ledger.attached(FROM, new Memory(), 2048, 4096, 4096, 1, 9);
        ledger.posted(FROM, Use.READ, 0);
        ledger.posted(TO, Use.COMPARE, 9);
        finds("slot 0, of the Read of 0000:03:00.0 got a second command: Compare");
    }

    @Test
    void dataOfAnEarlierCommandThatComesWhenTheSlotIsHandedOnIsFound() {
        ledger.posted(FROM, Use.READ, 1);
        ledger.completed(FROM, 1);
        ledger.posted(TO, Use.WRITE, 1);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        finds("0000:03:00.0 writes to slot 1, of the Write of 0000:04:00.0");
    }

    @Test
    void aWriteThatStoresIntoItsSlotIsFound() {
        ledger.posted(TO, Use.WRITE, 1);
        ledger.moved(TARGET, BASE + 4096, 512, false);
        finds("writes to slot 1");
    }

    @Test
    void lateDataOfAReadThatFailedMayHitASlotButNoOtherMemory() {
        ledger.posted(TO, Use.WRITE, 1);
        ledger.lateData(SOURCE);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        assertThat(found).isEmpty();
        ledger.moved(SOURCE, BASE - 512, 512, false);
        finds("in no slot");
        found.clear();
        ledger.moved(SOURCE, BASE + 4096, 512, true);
        finds("reads slot 1");
        found.clear();
        ledger.forgetLateData();
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        finds("writes to slot 1");
    }

    @Test
    void aResetTakesCommandsAwayThatMayHaveEndedBefore() {
        ledger.posted(FROM, Use.READ, 1);
        ledger.posted(TO, Use.WRITE, 2);
        ledger.reset(SOURCE);
        ledger.completed(FROM, 1);
        assertThat(found).isEmpty();
        ledger.end(COPY);
        finds("there is a command for slot 2, of the Write");
    }

    @Test
    void slotsOfTwoCopiesHaveTheSameNumbersAndShareNoMemory() {
        SlotLedger.Side other = new SlotLedger.Side(new Object(), SOURCE);
        ledger.attached(other, new Memory(), 4 * 4096, 4096, 4096, 1, 1);
        ledger.posted(FROM, Use.READ, 1);
        ledger.posted(other, Use.READ, 1);
        ledger.end(new Object());
        assertThat(found).isEmpty();
        SlotLedger.Side third = new SlotLedger.Side(new Object(), TARGET);
        ledger.attached(third, new Memory(), 4096, 4096, 4096, 1, 0);
        ledger.posted(third, Use.COMPARE, 0);
        finds("slot 1, of the Read of 0000:03:00.0 got a second command: Compare");
    }

    @Test
    void dataReadAfterTheCompletionIsFound() {
        ledger.posted(TO, Use.WRITE, 1);
        ledger.completed(TO, 1);
        ledger.moved(TARGET, BASE + 4096, 512, true);
        finds("reads slot 1, after the Write");
    }

    @Test
    void dataInNoSlotIsFound() {
        ledger.posted(FROM, Use.READ, 3);
        ledger.moved(SOURCE, BASE + 4 * 4096 - 256, 512, false);
        finds("in no slot");
    }

    @Test
    void aCommandThatIsLeftWhenTheCopyIsOverIsFound() {
        ledger.posted(FROM, Use.READ, 1);
        ledger.end(COPY);
        finds("the copy is over, and there is a command for slot 1");
    }

    @Test
    void aStoppedPortHasNoCommandLeftButItsDataMayComeUntilTheCopyIsOver() {
        ledger.posted(FROM, Use.READ, 1);
        ledger.stopped(FROM);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        ledger.end(COPY);
        assertThat(found).isEmpty();
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        finds("in no slot");
    }

    @Test
    void aCompletionWithoutACommandIsFound() {
        ledger.completed(FROM, 2);
        finds("slot 2 completed at 0000:03:00.0 with no command");
    }

    @Test
    void portsThatPlaceASlotDifferentlyAreFound() {
        ledger.attached(FROM, new Memory(), 4096, 4096, 4096, 1, 0);
        finds("slot 0 is at 0x40000000 for one port and at 0x40001000 for the other");
    }

    /** A memory of four pages at an address. */
    private static final class Memory extends PeerBuffer {
        @Override
        public String owner() {
            throw new AssertionError("unexpected call");
        }

        @Override
        public boolean isHost() {
            throw new AssertionError("unexpected call");
        }

        @Override
        public void checkHealth() {
            throw new AssertionError("unexpected call");
        }

        @Override
        public long busAddress() {
            return BASE;
        }

        @Override
        public long sizeBytes() {
            return 4 * 4096;
        }

        @Override
        public long load64(long offset) {
            return 0;
        }

        @Override
        public void store64(long offset, long value) {}

        @Override
        public void fill(long offset, long bytes, int word) {}

        @Override
        public void wipeOnClose(boolean wipe) {}

        @Override
        public void close() {}
    }
}
