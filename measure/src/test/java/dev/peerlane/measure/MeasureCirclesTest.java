package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.peerlane.Circles;
import org.junit.jupiter.api.Test;

/**
 * Checks that no types of this module form a circle, as ArchitectureTest checks for the library.
 */
class MeasureCirclesTest {
    private static final String BASE = "dev.peerlane.measure";

    @Test
    void noTypesUseEachOtherInACircle() {
        var classes =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages(BASE);
        assertThat(classes).isNotEmpty();
        assertThat(Circles.of(classes, BASE)).isEmpty();
    }
}
