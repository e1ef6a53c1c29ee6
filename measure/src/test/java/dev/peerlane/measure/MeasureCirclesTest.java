package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.peerlane.Circles;
import org.junit.jupiter.api.Test;

/** Holds the types of this module to what ArchitectureTest holds the library's to. */
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
