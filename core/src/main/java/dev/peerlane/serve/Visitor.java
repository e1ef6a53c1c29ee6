package dev.peerlane.serve;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.vfiouser.Channel;
import dev.peerlane.vfiouser.Protocol;

/** A connection to a drive that is in use. The reply to its version request says for how long. */
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
     * Answers the version request if it has arrived.
     *
     * @param takenSeconds how long the drive has been in use
     * @return whether the connection can be closed: it was answered, was silent for too long, or is
     *     no vfio-user client
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
