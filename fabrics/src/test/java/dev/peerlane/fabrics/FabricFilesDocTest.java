package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Checks that docs/fabric-files.md agrees with the reader. */
class FabricFilesDocTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "fabric-files.md");
    private static final Pattern BLOCK = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

    private static List<String> examples() throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(DOCUMENT));
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        return blocks;
    }

    @Test
    void everyExampleIsAFabricFile() throws IOException {
        List<String> blocks = examples();
        assertThat(blocks).hasSize(5);
        for (String block : blocks) {
            assertThat(FabricFile.parse("example", block, Path.of("/"))).isNotNull();
        }
    }

    @Test
    void everyKeyIsDocumentedWithItsDefault() throws IOException {
        FabricFile every = FabricFile.parse("example", examples().get(2), Path.of("/"));
        FabricModel shown = ((FabricFile.Emulated) every).model();
        String least =
                """
                kind: emulator
                drives: [{name: a, image: a.img, size: 64MiB, cmb: {size: 4MiB, barSize: 4MiB}}]
                """;
        FabricFile defaults = FabricFile.parse("least", least, Path.of("/"));
        FabricModel terse = ((FabricFile.Emulated) defaults).model();
        assertThat(shown.drives().getFirst()).isEqualTo(terse.drives().getFirst());
        assertThat(shown.seed()).isEqualTo(terse.seed());
        assertThat(shown.packets()).isNull();
        assertThat(terse.packets()).isNull();
        assertThat(shown.time()).isEqualTo(terse.time());
        assertThat(shown.transfers()).isEqualTo(FabricModel.Transfers.PIECES);
        assertThat(shown.movesRuns()).isEqualTo(terse.movesRuns());
        assertThat(shown.iommu()).isEqualTo(terse.iommu());
        assertThat(shown.unmapped()).isEqualTo(terse.unmapped());
        assertThat(shown.peerReads()).isEqualTo(terse.peerReads());
        assertThat(shown.peerWrites()).isEqualTo(terse.peerWrites());
        assertThat(shown.rootComplex().peerReads()).isEqualTo(terse.rootComplex().peerReads());
    }

    @Test
    void everyKeyOfThePacketsIsDocumentedWithItsDefault() throws IOException {
        FabricFile every = FabricFile.parse("example", examples().get(4), Path.of("/"));
        PacketModel shown = ((FabricFile.Emulated) every).model().packets();
        assertThat(shown).isNotNull();
        assertThat(shown.withLinks(shown.link(), Map.of()).withSecondWays(List.of()))
                .isEqualTo(PacketModel.DEFAULTS);
        assertThat(shown.links())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of(
                                "b", new PacketModel.Link(2000, 500_000_000, 8),
                                "0000:00:01.0", new PacketModel.Link(600, 4_000_000_000L, 32)));
    }
}
