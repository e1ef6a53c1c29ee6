package dev.peerlane.planted;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlantedBugTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void everyPlantedBugStillApplies() throws IOException {
        List<PlantedBug> all = PlantedBug.all(ROOT.resolve("tools/planted"));
        assertThat(all).hasSizeGreaterThanOrEqualTo(25);
        List<String> complaints = new ArrayList<>();
        for (PlantedBug bug : all) {
            String text = Files.readString(ROOT.resolve(bug.source()));
            try {
                String planted = bug.plant(text);
                if (planted.equals(text)) {
                    complaints.add(bug.name() + " changes nothing");
                }
                if (planted.lines().count() != text.lines().count()) {
                    complaints.add(bug.name() + " moves lines that it does not name");
                }
            } catch (IOException e) {
                complaints.add(e.getMessage());
            }
        }
        assertThat(complaints).isEmpty();
    }
}
