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

/** How clients come, what versions they may have, and what makes them go. */
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
        assertSentAway("begins with request 4");
    }

    @Test
    void replyToNothingEndsTheConnection() {
        greet();
        header(Protocol.DMA_MAP, 48, Protocol.REPLY);
        client.send(message.asSlice(0, 48));
        turns();
        assertSentAway("answers what nobody asked");
    }

    /** Major, minor, text; the minor that is answered, -1 for a refusal. */
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
            // no version, so nothing else either
            assertThat(send(Protocol.DEVICE_GET_INFO, 32)).isEqualTo(-1);
            assertSentAway("begins with request 4");
        }
    }

    @Test
    void textThatDoesNotEndIsRefusedHoweverLong() {
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
    void noReplyMeansNoneEvenOfAnError() {
        greet();
        header(Protocol.REGION_READ, 32, Protocol.NO_REPLY);
        client.send(message.asSlice(0, 32));
        turns();
        assertThat(client.receive(answer)).isEqualTo(-Errno.EAGAIN);
        assertThat(server.clients()).isEqualTo(1);
    }

    /** How many bytes come, of which message: the version, or one behind it. */
    @ParameterizedTest
    @CsvSource({
        "false, 0, it does not tell its version",
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
    void clientThatIsQuietBetweenItsMessagesMayStay() {
        greet();
        turnNanos = 1_000_000_000;
        turns();
        turns();
        assertThat(server.clients()).isEqualTo(1);
        assertThat(send(Protocol.DEVICE_RESET, 16)).isZero();
    }

    @Test
    void clientThatTakesNoAnswersIsSentAway() {
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
        assertThat(notes.getLast()).contains("it takes no answers");
    }

    @Test
    void connectionThatEndsAnywhereInAMessageFreesTheDrive() {
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
}
