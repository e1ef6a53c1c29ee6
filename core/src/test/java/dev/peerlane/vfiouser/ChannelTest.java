package dev.peerlane.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.linux.UnixSocket;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Tests the resources of a connection. */
class ChannelTest {
    @Test
    void closingAChannelFreesItsBuffers() {
        UnixSocket socket = UnixSocket.create();
        Channel channel = new Channel(socket, "nobody");
        MemorySegment in = channel.body();
        MemorySegment out = channel.outgoing();
        assertThat(in.scope().isAlive() && out.scope().isAlive()).isTrue();
        channel.close();
        channel.close();
        assertThat(in.scope().isAlive() || out.scope().isAlive()).isFalse();
        assertThatThrownBy(() -> socket.receive(MemorySegment.NULL, 0, 0))
                .as("the socket's own buffers")
                .isInstanceOf(IllegalStateException.class);
    }
}
