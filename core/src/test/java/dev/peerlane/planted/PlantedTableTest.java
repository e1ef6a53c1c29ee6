package dev.peerlane.planted;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlantedTableTest {
    private static final List<PlantedBug> BUGS = List.of(bug("7-a"), bug("8-b"), bug("9-c"));

    private static PlantedBug bug(String name) {
        Path source = Path.of("core/src/main/java/dev/peerlane/spec/Cap.java");
        return new PlantedBug(name, "It is wrong", source, List.of());
    }

    private static String document(String... seenBy) {
        StringBuilder text =
                new StringBuilder("Before\n<!-- planted: written by ./dev mutate -->\n");
        text.append("| bug | what is wrong | in | seen by |\n|---|---|---|---|\n");
        for (int i = 0; i < seenBy.length; i++) {
            text.append("| %d | It is wrong | `spec.Cap` | %s |\n".formatted(7 + i, seenBy[i]));
        }
        return text.append("<!-- end of planted -->\nAfter\n").toString();
    }

    @Test
    void whatNobodyRanAgainStaysAsItIs() {
        String text = document("`spec.ATest.x`", "**missed**", "`spec.BTest.y`, missed at first");
        assertThat(new PlantedTable(text).with(BUGS, Map.of())).isEqualTo(text);
    }

    @Test
    void aBugThatWasMissedIsToldAsSuchForGood() {
        String text = document("not run", "**missed**", "`spec.BTest.y`, missed at first");
        Map<String, String> found =
                Map.of(
                        "7", "dev.peerlane.spec.ATest.x",
                        "8", "dev.peerlane.spec.ATest.x",
                        "9", "dev.peerlane.spec.ATest.x");
        assertThat(new PlantedTable(text).with(BUGS, found))
                .isEqualTo(
                        document(
                                "`spec.ATest.x`",
                                "`spec.ATest.x`, missed at first",
                                "`spec.ATest.x`, missed at first"));
    }

    @Test
    void aBugWithoutARowWasNotRun() {
        assertThat(new PlantedTable(document("`spec.ATest.x`")).with(BUGS, Map.of()))
                .isEqualTo(document("`spec.ATest.x`", "not run", "not run"));
    }

    @Test
    void theTestIsReadWithItsWholeName() {
        PlantedTable table =
                new PlantedTable(document("`spec.ATest.x`, missed at first", "**missed**"));
        assertThat(table.seenBy("7")).isEqualTo("dev.peerlane.spec.ATest.x");
        assertThat(PlantedTable.isTest(table.seenBy("7"))).isTrue();
        assertThat(PlantedTable.isTest(table.seenBy("8"))).isFalse();
        assertThat(PlantedTable.isTest(table.seenBy("9"))).isFalse();
    }
}
