package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.RootComplex.Trust;
import dev.peerlane.spec.wire.Cqe;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests what the checkers of mappings, routes, leaks and media find. */
class CheckersTest {
    private static final List<String> NAMES = List.of("emu:a", "emu:b");

    private final List<String> found = new ArrayList<>();
    private final List<Fault> happened = new ArrayList<>();
    private final EmulatedFabric fabric = new EmulatedFabric(model());
    private final Bdf a = fabric.bdf("a");
    private final Bdf b = fabric.bdf("b");
    private final SlotLedger slots = new SlotLedger(found::add);
    private final MappingLedger mappings = new MappingLedger(fabric.dma(), found::add);
    private final Checkers checkers = new Checkers(slots, mappings, happened::add, found::add);

    private static FabricModel model() {
        FabricModel.Builder model = FabricModel.builder().time(FabricModel.Time.VIRTUAL);
        for (String name : List.of("a", "b")) {
            CmbModel cmb = CmbModel.of(64 << 10);
            model.drive(DriveModel.named(name).memory(World.MEDIUM_BYTES, 512).cmb(cmb).build());
            model.port(PortModel.drive(name));
        }
        return model.rootComplex(Trust.REFUSED, Trust.REFUSED).build();
    }

    CheckersTest() {
        checkers.drive("a", a, 0);
        checkers.drive("b", b, 0);
    }

    @AfterEach
    void close() {
        fabric.close();
    }

    private void finds(String what) {
        assertThat(found).singleElement().asString().contains(what);
    }

    @Test
    void dmaIntoMemoryThatIsMappedPassesAndBehindItIsFound() {
        DmaBuffer buffer = mappings.allocate(4096);
        buffer.admit(a);
        checkers.moved(a, null, buffer.busAddress(), 4096, Direction.WRITE, false);
        assertThat(found).isEmpty();
        checkers.moved(a, null, buffer.busAddress() + 4000, 512, Direction.READ, false);
        finds("reads 512 bytes at");
    }

    @Test
    void dmaIntoMemoryOfOtherDevicesIsFound() {
        DmaBuffer ofA = mappings.forDevice(fabric.open("emu:a")).allocate(4096);
        DmaBuffer shared = mappings.allocate(4096);
        shared.admit(a);
        checkers.moved(a, null, ofA.busAddress(), 4096, Direction.WRITE, false);
        checkers.moved(a, null, shared.busAddress(), 4096, Direction.WRITE, false);
        assertThat(found).isEmpty();
        checkers.moved(b, null, ofA.busAddress(), 16, Direction.READ, false);
        checkers.moved(b, null, shared.busAddress(), 16, Direction.WRITE, false);
        assertThat(found).hasSize(2).allMatch(f -> f.endsWith("which it was not admitted to"));
    }

    @Test
    void dmaIntoReleasedMemoryIsFound() {
        DmaBuffer buffer = mappings.allocate(4096);
        buffer.close();
        checkers.moved(a, null, buffer.busAddress(), 16, Direction.WRITE, false);
        finds("which nothing maps");
    }

    @Test
    void memoryThatIsLeftIsFound() {
        mappings.allocate(4096);
        mappings.checkEmpty();
        finds("4096 bytes at 0x100000000 are mapped still");
    }

    @Test
    void peerTrafficOnARouteThatIsRefusedIsFound() {
        DmaBuffer somewhere = mappings.allocate(4096);
        somewhere.admit(a);
        checkers.moved(a, b, somewhere.busAddress(), 512, Direction.WRITE, false);
        checkers.checkRoutes(fabric.machine());
        finds("initiator=" + a);
    }

    @Test
    void ioDataOutsideOfSlotsIsFound() {
        DmaBuffer somewhere = mappings.allocate(4096);
        somewhere.admit(a);
        checkers.moved(a, null, somewhere.busAddress(), 512, Direction.WRITE, true);
        finds("in no slot");
    }

    @Test
    void aControllerMayBreakTheProtocolOnlyIfAFaultMadeIt() {
        MemorySegment cqe = MemorySegment.ofArray(new long[] {0, Cqe.dw23(0, 0, 7, 0, 1)});
        checkers.happens(Fault.at(Fault.Kind.WRONG_CID, "b"));
        checkers.posted(b, 0, cqe);
        assertThat(found).isEmpty();
        checkers.posted(a, 0, cqe);
        finds("a: a completion for queue 0, which does not exist");
        assertThat(happened).hasSize(1);
    }

    @Test
    void doorbellsOfALostQueueAreForgivenOnlyAfterAReset() {
        checkers.happens(Fault.at(Fault.Kind.RESET, "a"));
        checkers.stored(a, 0x1000, 1, 4);
        assertThat(found).isEmpty();
        checkers.forget();
        checkers.stored(a, 0x1000, 1, 4);
        finds("a: tail doorbell of queue 0, which does not exist");
    }

    private static World.Copy copy() {
        return new World.Copy(0, 1, 4096, 8192, 4096, CopyOptions.DEFAULTS, List.of());
    }

    private void change(int at) {
        byte[] bytes = fabric.controller("b").medium(1);
        bytes[at] ^= 1;
        fabric.controller("b").medium(1, bytes);
    }

    @Test
    void aByteThatChangedOutsideOfTheRangeIsFound() {
        Media media = new Media(fabric, NAMES, 1, found::add);
        change(8192 + 4096);
        media.adopt(copy());
        media.check();
        finds("emu:b/n1 is not what it should be from byte 12288 on");
    }

    @Test
    void blocksThatAreSaidToBeCopiedAreCompared() {
        Media media = new Media(fabric, NAMES, 1, found::add);
        byte[] bytes = fabric.controller("b").medium(1);
        System.arraycopy(fabric.controller("a").medium(1), 4096, bytes, 8192, 4096);
        fabric.controller("b").medium(1, bytes);
        List<Receipt.Range> all = List.of(new Receipt.Range(16, 8));
        assertThat(media.wrongBytes(copy(), all, 512)).isZero();
        assertThat(media.strangeBytes(copy())).isZero();
        change(8192 + 700);
        assertThat(media.wrongBytes(copy(), all, 512)).isOne();
        assertThat(media.wrongBytes(copy(), List.of(new Receipt.Range(16, 1)), 512)).isZero();
        assertThat(media.strangeBytes(copy())).isOne();
        media.wrongBytes(copy(), List.of(new Receipt.Range(15, 2)), 512);
        finds("the receipt names bytes 7680 to 8704 as copied");
    }

    @Test
    void aDriveThatIsGoneHasNoCommands() {
        SlotLedger.Side side = new SlotLedger.Side(this, a);
        try (PeerBuffer buffer = new HostMemory(mappings).allocate(4096, 4096)) {
            slots.attached(side, buffer, 0, 4096, 4096, 1, 0);
            slots.posted(side, SlotLedger.Use.WRITE, 0);
            checkers.happens(Fault.at(Fault.Kind.GONE, "b"));
            slots.end(new Object());
            checkers.happens(Fault.at(Fault.Kind.SUDDEN_REMOVAL, "a"));
            slots.end(this);
        }
        assertThat(found).isEmpty();
    }
}
