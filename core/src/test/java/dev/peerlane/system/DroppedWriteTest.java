package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.nvme.Namespace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How much of a command's data a lost posted write takes with it where there are no packets. */
class DroppedWriteTest {
    private static final int SIZE = 1 << 20;
    private static final int DATA = 64 << 10;
    private static final int PAGE = 4096;

    /** A data block of an SGL moves in pieces of up to 64 KiB, and no posted write is as long. */
    @ParameterizedTest
    @EnumSource(DriveModel.Sgls.class)
    void aLostWriteTakesWhatIsInOnePage(DriveModel.Sgls sgls) {
        FabricModel fabric =
                FabricModel.builder()
                        .time(FabricModel.Time.VIRTUAL)
                        .seed(5)
                        .drive(DriveModel.named("a").memory(SIZE, 512).sgls(sgls).build())
                        .drive(
                                DriveModel.named("b")
                                        .memory(SIZE, 512)
                                        .cmb(CmbModel.of(SIZE))
                                        .build())
                        .fault(Fault.at(Fault.Kind.DROPPED_WRITE, "a").withOccasion(3))
                        .build();
        try (Session session = Session.of(new EmulatedFabric(fabric))) {
            Namespace from = session.namespace(Extent.of("emu:a"));
            try (PeerBuffer buffer = session.cmb("emu:b").allocate(DATA + PAGE, PAGE)) {
                buffer.fill(0, DATA + PAGE, -1);
                // begins in the middle of a page; the medium holds zeroes
                try (BlockPort port = from.port(1)) {
                    int slot = port.attach(buffer, 512, DATA, DATA, 1);
                    assertThat(port.submitRead(slot, 0, DATA / 512)).isTrue();
                    port.ring();
                    int[] status = {-1};
                    while (status[0] < 0) {
                        port.poll(1, ended(status));
                        session.endpoints().clock().turn();
                    }
                    assertThat(status[0]).isZero();
                }
                long first = -1;
                long last = -1;
                for (long at = 512; at < 512 + DATA; at += 8) {
                    if (buffer.load64(at) != 0) {
                        first = first < 0 ? at : first;
                        last = at;
                    }
                }
                assertThat(first).as("a write was lost").isPositive();
                assertThat(first / PAGE).as("the page of all that is lost").isEqualTo(last / PAGE);
            }
        }
    }

    private static Completions ended(int[] into) {
        return new Completions() {
            @Override
            public void completed(int slot, int status) {
                into[0] = status;
            }
        };
    }
}
