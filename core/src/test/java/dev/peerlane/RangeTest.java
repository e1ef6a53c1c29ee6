package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.FabricModel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests ranges whose length in bytes does not fit 64 bits, on either side. */
class RangeTest {
    @ParameterizedTest
    @ValueSource(longs = {1L << 55, (1L << 55) + 2048, 1L << 54, Long.MAX_VALUE})
    void aRangeThatIsLongerThanTheNamespaceIsRefusedOnBothSides(long blocks) {
        Extent good = Extent.parse("emu:ssd0@0+2048");
        Extent other = Extent.parse("emu:ssd1@0+2048");
        try (Session session = Session.of(new EmulatedFabric(FabricModel.standard()))) {
            for (boolean target : new boolean[] {true, false}) {
                Extent wrong = Extent.parse((target ? "emu:ssd1@0+" : "emu:ssd0@0+") + blocks);
                assertThatThrownBy(() ->
                                session.plan(
                                        target ? good : wrong,
                                        target ? wrong : other,
                                        CopyOptions.DEFAULTS))
                        .isInstanceOf(PeerlaneException.class)
                        .hasMessageContaining(blocks + " blocks from block 0 on")
                        .hasMessageContaining("which has 2097152");
            }
        }
    }
}
