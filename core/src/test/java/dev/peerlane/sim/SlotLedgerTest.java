package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.pci.Bdf;
import dev.peerlane.sim.SlotLedger.Use;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the ledger of slots finds, and what it lets pass. */
class SlotLedgerTest {
    private static final Bdf SOURCE = new Bdf(0, 3, 0, 0);
    private static final Bdf TARGET = new Bdf(0, 4, 0, 0);
    private static final long BASE = 0x4000_0000L;

    private final List<String> found = new ArrayList<>();
    private final SlotLedger ledger = new SlotLedger(found::add);

    SlotLedgerTest() {
        ledger.attached(new Memory(), 0, 4096, 4096, 4, 0);
    }

    private void finds(String what) {
        assertThat(found).singleElement().asString().contains(what);
    }

    @Test
    void aChunkOnItsWayIsNoViolation() {
        ledger.posted(SOURCE, Use.READ, 1);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        ledger.completed(SOURCE, 1);
        ledger.moved(SOURCE, BASE + 4096 + 512, 512, false);
        ledger.posted(TARGET, Use.WRITE, 1);
        ledger.moved(TARGET, BASE + 4096, 4096, true);
        ledger.completed(TARGET, 1);
        ledger.end();
        assertThat(found).isEmpty();
    }

    @Test
    void aSecondCommandForABusySlotIsFound() {
        ledger.posted(SOURCE, Use.READ, 1);
        ledger.posted(TARGET, Use.WRITE, 1);
        finds("slot 1, of the Read of 0000:03:00.0 got a second command: Write");
    }

    @Test
    void aCommandForASlotThatOverlapsABusyOneIsFound() {
        ledger.attached(new Memory(), 2048, 4096, 4096, 1, 9);
        ledger.posted(SOURCE, Use.READ, 0);
        ledger.posted(TARGET, Use.COMPARE, 9);
        finds("slot 0, of the Read of 0000:03:00.0 got a second command: Compare");
    }

    @Test
    void dataOfAnEarlierCommandThatComesWhenTheSlotIsHandedOnIsFound() {
        ledger.posted(SOURCE, Use.READ, 1);
        ledger.completed(SOURCE, 1);
        ledger.posted(TARGET, Use.WRITE, 1);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        finds("0000:03:00.0 writes to slot 1, of the Write of 0000:04:00.0");
    }

    @Test
    void aWriteThatStoresIntoItsSlotIsFound() {
        ledger.posted(TARGET, Use.WRITE, 1);
        ledger.moved(TARGET, BASE + 4096, 512, false);
        finds("writes to slot 1");
    }

    @Test
    void lateDataOfAReadThatFailedMayHitASlotButNoOtherMemory() {
        ledger.posted(TARGET, Use.WRITE, 1);
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
    void dataReadAfterTheCompletionIsFound() {
        ledger.posted(TARGET, Use.WRITE, 1);
        ledger.completed(TARGET, 1);
        ledger.moved(TARGET, BASE + 4096, 512, true);
        finds("reads slot 1, after the Write");
    }

    @Test
    void dataInNoSlotIsFound() {
        ledger.posted(SOURCE, Use.READ, 3);
        ledger.moved(SOURCE, BASE + 4 * 4096 - 256, 512, false);
        finds("in no slot");
    }

    @Test
    void aCommandThatIsLeftWhenTheCopyIsOverIsFound() {
        ledger.posted(SOURCE, Use.READ, 1);
        ledger.end();
        finds("the copy is over, and there is a command for slot 1");
    }

    @Test
    void aStoppedPortHasNoCommandLeftButItsDataMayComeUntilTheCopyIsOver() {
        ledger.posted(SOURCE, Use.READ, 1);
        ledger.stopped(SOURCE);
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        ledger.end();
        assertThat(found).isEmpty();
        ledger.moved(SOURCE, BASE + 4096, 512, false);
        finds("in no slot");
    }

    @Test
    void aCompletionWithoutACommandIsFound() {
        ledger.completed(SOURCE, 2);
        finds("slot 2 completed at 0000:03:00.0 with no command");
    }

    @Test
    void portsThatPlaceASlotDifferentlyAreFound() {
        ledger.attached(new Memory(), 4096, 4096, 4096, 1, 0);
        finds("slot 0 is at 0x40000000 for one port and at 0x40001000 for the other");
    }

    /** Four pages at an address. */
    private static final class Memory extends PeerBuffer {
        @Override
        public PeerMemory memory() {
            throw new AssertionError("not asked for");
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
