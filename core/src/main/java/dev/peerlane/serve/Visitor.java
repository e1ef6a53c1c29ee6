package dev.peerlane.serve;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.vfiouser.Channel;
import dev.peerlane.vfiouser.Protocol;

/** Whoever asks for a drive that is taken: the answer to its version says since when. */
final class Visitor implements AutoCloseable {
    private final Channel channel;
    private final long cameNanos;
    private boolean told;

    Visitor(Channel channel, long nowNanos) {
        this.channel = channel;
        this.cameNanos = nowNanos;
    }

    int descriptor() {
        return channel.descriptor();
    }

    /**
     * Looks at what it sent.
     *
     * @param takenSeconds since when the drive is taken
     * @return whether it can be sent away: it was told, is silent for too long, or is no client
     */
    boolean isDone(long nowNanos, long takenSeconds) {
        try {
            if (!told && channel.receive()) {
                if (channel.command() != Protocol.VERSION) {
                    return true;
                }
                long bytes = Protocol.putTaken(channel.outgoing(), takenSeconds);
                int flags = Protocol.REPLY | Protocol.ERROR;
                channel.send(channel.id(), Protocol.VERSION, flags, Errno.EBUSY, bytes);
                told = true;
            }
            boolean sent = told && channel.flush();
            return sent || nowNanos - cameNanos > Client.MESSAGE_NANOS;
        } catch (PeerlaneException e) {
            return true;
        }
    }

    @Override
    public void close() {
        channel.close();
    }
}
