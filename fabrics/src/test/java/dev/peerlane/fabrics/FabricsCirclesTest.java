package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.peerlane.Circles;
import org.junit.jupiter.api.Test;

/** Checks the types of this module with the rules that ArchitectureTest applies to the library. */
class FabricsCirclesTest {
    private static final String BASE = "dev.peerlane.fabrics";

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
