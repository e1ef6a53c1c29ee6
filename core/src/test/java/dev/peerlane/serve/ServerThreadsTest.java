package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.ForeignCalls;
import dev.peerlane.linux.Errno;
import dev.peerlane.vfiouser.Protocol;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Tests that a call from a thread that does not own the server advances no drive and serves no
 * client.
 */
class ServerThreadsTest extends RawClient {
    @Test
    void everyCallOfAnotherThreadIsRefusedAndNoClientNotices() throws Exception {
        turns();
        message.fill((byte) 0);
        message.set(JAVA_SHORT_UNALIGNED, 18, (short) 1);
        header(Protocol.VERSION, 21, 0);
        client.send(message.asSlice(0, 21));

        new ForeignCalls()
                .add("turn", () -> server.turn())
                .add("rest", () -> server.rest())
                .add("clients", () -> server.clients())
                .add("close", () -> server.close())
                .assertRefused(() ->
                        List.of(
                                client.receive(answer),
                                server.clients(),
                                List.copyOf(notes),
                                openFiles(),
                                nanos));

        assertThat(client.receive(answer)).isEqualTo(-Errno.EAGAIN);
        server.rest();
        turns();
        assertThat(client.receive(answer)).as("the owner answers").isGreaterThan(16);
    }
}
