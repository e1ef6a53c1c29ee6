package dev.peerlane.cli.devices;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.spec.Cap;
import dev.peerlane.spec.IdentifyController;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests what {@code identify} shows for fields that no emulated drive sets. */
class IdentifyFieldsTest {
    private static String meaning(String name, IdentifyController id) {
        return IdentifyFields.fields(id, new Cap(0)).stream()
                .filter(field -> field.name().equals(name))
                .map(IdentifyFields.Field::meaning)
                .findFirst()
                .orElseThrow();
    }

    /** Bits 7:0 and 10 of OAES are reserved. */
    @ParameterizedTest
    @CsvSource({
        "0, no optional events",
        "0xff, no optional events",
        "0x400, no optional events",
        "0x100, namespace changes",
        "0x300, 'namespace changes, firmware activation'",
        "0xd00, 'namespace changes, asymmetric access changes'",
        "0x7000, 'predictable latency, LBA status, endurance groups'",
        "0x8000, subsystem shutdown"
    })
    void optionalEventsAreNamedByTheirOwnBits(String raw, String named) {
        MemorySegment page = Arena.ofAuto().allocate(4096);
        IdentifyController.OAES.write(page, Integer.decode(raw));
        assertThat(meaning("OAES", new IdentifyController(page))).isEqualTo(named);
    }
}
