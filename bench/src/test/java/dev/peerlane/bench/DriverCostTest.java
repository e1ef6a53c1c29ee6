package dev.peerlane.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the comparison of the programs, with shell scripts instead of C programs. */
class DriverCostTest {
    @TempDir private Path folder;

    private Path script(String name, String text) throws IOException {
        Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return file;
    }

    @Test
    void aSteppedProgramIsNotMeasuredAgain() throws IOException {
        Path driver =
                script("driver", "echo $$ 0 32; while read batch commands; do echo 5000; done\n");
        Path steps = script("steps", "kill -9 $1; echo 400 4\n");
        DriverCost cost = new DriverCost(new CPrograms(driver, driver, steps), 0, 1, 320);
        List<DriverCost.Line> lines = cost.measure();
        assertThat(lines).hasSize(3 * DriverCost.BATCHES.size());
        assertThat(lines).allSatisfy(l -> assertThat(l.instructions()).hasValue(100));
    }
}
