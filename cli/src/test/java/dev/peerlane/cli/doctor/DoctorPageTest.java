package dev.peerlane.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DoctorPageTest {
    private static final Path PAGE = Path.of("..", "docs", "doctor.md");

    /** Run with -Dpeerlane.docs=write to rewrite the page. */
    @Test
    void thePageIsWhatTheTableSays() throws IOException {
        if ("write".equals(System.getProperty("peerlane.docs"))) {
            Files.writeString(PAGE, DoctorPage.page());
        }
        assertThat(PAGE).hasContent(DoctorPage.page());
    }
}
