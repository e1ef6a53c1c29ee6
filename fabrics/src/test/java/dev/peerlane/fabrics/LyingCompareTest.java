package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests drives whose Compare reports "equal" for blocks that it did not compare. */
class LyingCompareTest {
    private static final int BLOCKS = 1024;
    private static final Extent A = new Extent("emu:a", 1, 0L, (long) BLOCKS);
    private static final Extent B = new Extent("emu:b", 1, 0L, (long) BLOCKS);

    /** Opens a fabric file like a user's. */
    private static Session session(String target, String fault) {
        String text =
                """
                kind: emulator
                time: virtual
                drives:
                  - {name: a, size: 1MiB, cmb: {size: 64KiB}}
                  - {name: b, size: 1MiB, cmb: {size: 64KiB}%s}
                  - {name: c, size: 1MiB, cmb: {size: 64KiB}}
                faults: [%s]
                """
                        .formatted(target, fault);
        FabricFile file = FabricFile.parse("lies", text, Path.of("/"));
        return Session.of(new EmulatedFabric(((FabricFile.Emulated) file).model()));
    }

    private static CopyOptions through(BufferChoice buffer, long seed) {
        return CopyOptions.DEFAULTS.withOverwrite(true).withBuffer(buffer).withSeed(seed);
    }

    private static CopyException failure(Session session, CopyOptions options) {
        return catchThrowableOfType(CopyException.class, () -> session.copy(A, B, options));
    }

    @Test
    void targetThatStoresNothingAndAlwaysReportsEqualFailsVerificationThroughItsOwnCmb() {
        String fault = "{kind: compare-lies, drive: b}";
        try (Session session = session(", discards: true", fault)) {
            CopyException e = failure(session, through(BufferChoice.TARGET, 1));
            assertThat(e).isNotNull();
            assertThat(e.code()).isEqualTo("compare-lies");
            assertThat(e).hasMessageContaining("emu:b/n1 compared blocks ");
            assertThat(e.receipt().verify().result()).isEqualTo("failed");
            assertThat(e.receipt().verify().controls()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"TARGET, b, target-compare", "SOURCE, a, source-compare"})
    void theSideThatComparesFallsAtItsFirstControl(String buffer, String drive, String method) {
        String fault = "{kind: compare-lies, drive: %s}".formatted(drive);
        try (Session session = session("", fault)) {
            BufferChoice choice =
                    buffer.equals("TARGET") ? BufferChoice.TARGET : BufferChoice.SOURCE;
            CopyException e = failure(session, through(choice, 1));
            assertThat(e.code()).isEqualTo("compare-lies");
            assertThat(e.receipt().verify().method()).isEqualTo(method);
        }
    }

    /** Control Compares are placed in every part of the range, at random. */
    @ParameterizedTest
    @ValueSource(ints = {0, 300, 512, 960})
    void aLieAboutAPartOfTheRangeIsFoundWhereTheControlsAre(int first) {
        String fault = "{kind: compare-lies, drive: b, first: %d, length: 64}".formatted(first);
        for (int seed = 0; seed < 4; seed++) {
            try (Session session = session("", fault)) {
                CopyException e = failure(session, through(BufferChoice.TARGET, seed));
                assertThat(e).as("seed %d", seed).isNotNull();
                assertThat(e.code()).isEqualTo("compare-lies");
            }
        }
    }

    /** One block in 1,024 is checked once in 32 copies: places are random, not fixed. */
    @Test
    void aLieAboutOneBlockIsFoundOccasionally() {
        int found = 0;
        for (int seed = 0; seed < 300; seed++) {
            String fault = "{kind: compare-lies, drive: b, first: 77, length: 1}";
            try (Session session = session("", fault)) {
                found += failure(session, through(BufferChoice.TARGET, seed)) == null ? 0 : 1;
            }
        }
        assertThat(found).as("9 of 300 are expected").isBetween(2, 20);
    }

    @ParameterizedTest
    @CsvSource({"1024, 32", "33, 32", "7, 7", "1, 1"})
    void theReceiptTellsHowManyControlsThereWere(long blocks, int controls) {
        try (Session session = session("", "")) {
            Extent from = new Extent("emu:a", 1, 0L, blocks);
            Extent to = new Extent("emu:b", 1, 0L, blocks);
            Receipt receipt = session.copy(from, to, through(BufferChoice.TARGET, 1));
            assertThat(receipt.verify().controls()).isEqualTo(controls);
        }
    }

    /** A third party's memory is also checked in each page, before and after. */
    @Test
    void everyPageOfAThirdPartysMemoryIsCheckedToo() {
        try (Session session = session("", "")) {
            CopyOptions options =
                    through(BufferChoice.device("emu:c"), 1).withVerify(VerifyMode.PEER);
            Receipt receipt = session.copy(A, B, options);
            assertThat(receipt.verify().result()).isEqualTo("ok");
            assertThat(receipt.verify().controls()).isGreaterThanOrEqualTo(32);
        }
    }

    /**
     * One drive writes the flipped bit, and another drive compares it. The bit must arrive first.
     */
    @Test
    void copyWaitsForALateFlippedBit() {
        String text =
                """
                kind: emulator
                fabric: packets
                packets: {hostStoreNanos: 40000}
                drives:
                  - {name: a, size: 1MiB}
                  - {name: b, size: 1MiB}
                  - {name: c, size: 1MiB, cmb: {size: 64KiB}}
                """;
        FabricFile file = FabricFile.parse("late", text, Path.of("/"));
        try (Session session =
                Session.of(new EmulatedFabric(((FabricFile.Emulated) file).model()))) {
            CopyOptions options =
                    through(BufferChoice.device("emu:c"), 1).withVerify(VerifyMode.PEER);
            Receipt receipt =
                    session.copy(
                            new Extent("emu:a", 1, 0L, 64L),
                            new Extent("emu:b", 1, 0L, 64L),
                            options);
            assertThat(receipt.verify().method()).isEqualTo("controlled-compare");
            assertThat(receipt.verify().result()).isEqualTo("ok");
        }
    }

    @Test
    void aCopyVerifiedInHostMemoryUsesNoCompare() {
        try (Session session = session("", "{kind: compare-lies, drive: b}")) {
            CopyOptions options = through(BufferChoice.TARGET, 1).withVerify(VerifyMode.HOST);
            Receipt receipt = session.copy(A, B, options);
            assertThat(receipt.verify().result()).isEqualTo("ok");
            assertThat(receipt.verify().controls()).isZero();
        }
    }
}
