package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.linux.Errno;
import dev.peerlane.vfiouser.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests how clients connect, which versions they may request, and what disconnects them. */
class ClientLifeTest extends RawClient {

    @ParameterizedTest
    @CsvSource({"0", "15", "16385", "-1", "2147483647"})
    void lengthOutOfBoundsEndsTheConnection(int bytes) {
        header(Protocol.VERSION, bytes, 0);
        client.send(message.asSlice(0, 64));
        turns();
        assertSentAway("sends a message of");
    }

    @Test
    void requestBeforeTheVersionEndsTheConnection() {
        assertThat(send(Protocol.DEVICE_GET_INFO, 32)).isEqualTo(-1);
        assertSentAway("starts with request 4");
    }

    @Test
    void aReplyToNoRequestEndsTheConnection() {
        greet();
        header(Protocol.DMA_MAP, 48, Protocol.REPLY);
        client.send(message.asSlice(0, 48));
        turns();
        assertSentAway("sends a reply to no request");
    }

    /** Parameters: major, minor, text; then the minor version in the reply, or -1 for a refusal. */
    @ParameterizedTest
    @CsvSource({
        "1, 0, {}, -1",
        "65535, 1, {}, -1",
        "0, 0, {}, 0",
        "0, 1, {}, 1",
        "0, 7, {}, 1",
        "0, 1, '{\"capabilities\":{}}', 1",
        "0, 1, '{\"capabilities\":[}', 1",
        "0, 1, '{\"capabilities\":{\"max_data_xfer_size\":-1}}', 1",
        "0, 1, 'not a word of JSON', 1",
    })
    void versionIsAnsweredWithTheLowerMinorOrRefused(int major, int minor, String text, int got) {
        message.fill((byte) 0);
        message.set(JAVA_SHORT_UNALIGNED, 16, (short) major);
        message.set(JAVA_SHORT_UNALIGNED, 18, (short) minor);
        message.setString(20, text);
        int error = send(Protocol.VERSION, 20 + text.length() + 1);
        assertThat(error).isEqualTo(got < 0 ? Errno.EINVAL : 0);
        if (got >= 0) {
            assertThat(answer.get(JAVA_SHORT_UNALIGNED, 16)).isZero();
            assertThat(answer.get(JAVA_SHORT_UNALIGNED, 18)).isEqualTo((short) got);
            assertThat(answer.getString(20)).contains("\"max_data_xfer_size\":4096");
        } else {
            // without a version, nothing else is accepted
            assertThat(send(Protocol.DEVICE_GET_INFO, 32)).isEqualTo(-1);
            assertSentAway("starts with request 4");
        }
    }

    @Test
    void textWithoutAnEndIsRefusedWhateverItsLength() {
        message.fill((byte) 'x');
        message.set(JAVA_INT_UNALIGNED, 16, 1 << 16);
        for (int bytes : new int[] {5, 100, 4096}) {
            assertThat(send(Protocol.VERSION, 16 + bytes)).isEqualTo(Errno.EINVAL);
        }
        for (int bytes = 0; bytes < 4; bytes++) {
            assertThat(send(Protocol.VERSION, 16 + bytes)).isEqualTo(Errno.EINVAL);
        }
        message.set(JAVA_BYTE, Protocol.MAX_MESSAGE_BYTES - 1, (byte) 0);
        assertThat(send(Protocol.VERSION, Protocol.MAX_MESSAGE_BYTES)).isZero();
        assertThat(send(Protocol.VERSION, 20)).as("a second one").isEqualTo(Errno.EINVAL);
        assertThat(server.clients()).isEqualTo(1);
    }

    @Test
    void aRequestWithNoReplyGetsNoneEvenForAnError() {
        greet();
        header(Protocol.REGION_READ, 32, Protocol.NO_REPLY);
        client.send(message.asSlice(0, 32));
        turns();
        assertThat(client.receive(answer)).isEqualTo(-Errno.EAGAIN);
        assertThat(server.clients()).isEqualTo(1);
    }

    /**
     * Parameters: whether a version was negotiated before, the number of bytes that arrive, and the
     * reason.
     */
    @ParameterizedTest
    @CsvSource({
        "false, 0, it does not send its version",
        "false, 1, the rest of a message is missing",
        "false, 17, the rest of a message is missing",
        "true, 15, the rest of a message is missing",
        "true, 31, the rest of a message is missing"
    })
    void silenceFreesTheDriveAfterFiveSeconds(boolean greeted, int bytes, String why) {
        if (greeted) {
            greet();
        }
        header(greeted ? Protocol.REGION_READ : Protocol.VERSION, 32, 0);
        if (bytes > 0) {
            client.send(message.asSlice(0, bytes));
        }
        turns();
        assertThat(server.clients()).as("after a moment").isEqualTo(1);
        turnNanos = 1_000_000_000;
        turns();
        assertSentAway(why);
    }

    @Test
    void aClientThatIsSilentBetweenMessagesStaysConnected() {
        greet();
        turnNanos = 1_000_000_000;
        turns();
        turns();
        assertThat(server.clients()).isEqualTo(1);
        assertThat(send(Protocol.DEVICE_RESET, 16)).isZero();
    }

    @Test
    void aClientThatReadsNoRepliesIsDisconnected() {
        greet();
        message.set(JAVA_LONG_UNALIGNED, 16, 0);
        message.set(JAVA_INT_UNALIGNED, 24, 7);
        message.set(JAVA_INT_UNALIGNED, 28, 4096);
        header(Protocol.REGION_READ, 32, 0);
        for (int i = 0; i < 1000 && server.clients() == 1; i++) {
            client.send(message.asSlice(0, 32));
            turns();
        }
        assertThat(server.clients()).isZero();
        assertThat(notes.getLast()).contains("it does not read its replies");
    }

    @Test
    void aConnectionThatEndsWithinAMessageFreesTheDrive() {
        for (int bytes = 1; bytes < 48; bytes++) {
            greet();
            header(Protocol.DMA_MAP, 48, 0);
            client.send(message.asSlice(0, bytes));
            client.close();
            turns();
            assertThat(server.clients()).isZero();
            again();
        }
    }

    /** QEMU asks with 32 bytes first, and refuses a region whose capabilities are at offset 0. */
    @Test
    void aRegionReportsItsCapabilitiesIfTheyFitElseTheRoomThatTheyNeed() {
        greet();
        message.fill((byte) 0);
        message.set(JAVA_INT_UNALIGNED, 16, 32);
        assertThat(send(Protocol.DEVICE_GET_REGION_INFO, 48)).isZero();
        assertThat(answer.get(JAVA_INT_UNALIGNED, 16)).isEqualTo(64);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 20)).isEqualTo(3);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 28)).isZero();
        message.set(JAVA_INT_UNALIGNED, 16, 64);
        assertThat(send(Protocol.DEVICE_GET_REGION_INFO, 48)).isZero();
        assertThat(answer.get(JAVA_INT_UNALIGNED, 20)).isEqualTo(15);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 28)).isEqualTo(32);
    }

    /** Returns the virtual time until the server answers a request. */
    private long answeredAfter() {
        long start = nanos;
        header(Protocol.DEVICE_RESET, 16, 0);
        client.send(message.asSlice(0, 16));
        for (int i = 0; client.receive(answer) == -Errno.EAGAIN; i++) {
            assertThat(i).isLessThan(100_000);
            server.turn();
        }
        return nanos - start;
    }

    @Test
    void socketIsLookedAtEvery50MicrosecondsAndMoreOftenAfterAMessage() {
        greet();
        turnNanos = 2_000_000;
        turns();
        turnNanos = 1_000;
        assertThat(answeredAfter()).isEqualTo(50_000);
        assertThat(answeredAfter()).isEqualTo(1_000);
        turnNanos = 900_000;
        turns(64);
        turnNanos = 1_000;
        assertThat(answeredAfter()).as("0.9 ms later").isEqualTo(1_000);
    }
}
