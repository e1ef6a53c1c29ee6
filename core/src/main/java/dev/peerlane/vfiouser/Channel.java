package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.UnixSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Sends and receives vfio-user messages over one connection, for client or server. No method
 * blocks. Input from the peer is untrusted: a length out of bounds, too many descriptors or the end
 * of the connection throws. The channel holds one received message at a time, and belongs to one
 * thread.
 */
public final class Channel implements AutoCloseable {
    private static final int[] NONE = {};

    private final UnixSocket socket;
    private final String peer;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment in;
    private final MemorySegment out;
    private int[] passed = NONE;
    private int[] sending = NONE;
    private long received;
    private long expected = Protocol.HEADER_BYTES;
    private long sent;
    private long toSend;
    private boolean closed;

    /**
     * Creates a channel over a connected socket.
     *
     * @param socket a connected socket, of which the channel takes ownership
     * @param peer the other side's name, for messages
     */
    public Channel(UnixSocket socket, String peer) {
        this.socket = socket;
        this.peer = peer;
        in = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 16);
        out = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 16);
    }

    /** Returns the socket's descriptor. */
    public int descriptor() {
        return socket.descriptor();
    }

    /**
     * Returns whether the peer closed the connection. Messages that it sent before may still be
     * unread.
     */
    public boolean isHungUp() {
        return socket.isHungUp();
    }

    /**
     * Receives the bytes that have arrived.
     *
     * @return whether a message is complete; its parts can be read until {@link #next}
     * @throws PeerlaneException if the connection ended or the message violates the protocol
     */
    public boolean receive() {
        while (received < expected) {
            long result = socket.receive(in, received, expected - received);
            int[] more = socket.takeDescriptors();
            if (more.length > 0) {
                int had = passed.length;
                passed = Arrays.copyOf(passed, had + more.length);
                System.arraycopy(more, 0, passed, had, more.length);
                if (passed.length > UnixSocket.MAX_DESCRIPTORS) {
                    throw Protocol.violation(peer, "it passes more than 8 descriptors");
                }
            }
            if (result == -Errno.EAGAIN) {
                return false;
            }
            if (result == -Errno.EMSGSIZE) {
                throw Protocol.violation(peer, "it passes more than 8 descriptors");
            }
            if (result == 0 || result == -Errno.ECONNRESET) {
                throw ended();
            }
            check(result, "recvmsg");
            received += result;
            if (received == expected && expected == Protocol.HEADER_BYTES) {
                long bytes = Integer.toUnsignedLong(in.get(JAVA_INT_UNALIGNED, 4));
                if (bytes < Protocol.HEADER_BYTES || bytes > Protocol.MAX_MESSAGE_BYTES) {
                    throw Protocol.violation(
                            peer, "it sends a message of %d bytes".formatted(bytes));
                }
                expected = bytes;
            }
        }
        return true;
    }

    /** Returns whether only a part of a message has arrived. */
    public boolean isAmidMessage() {
        return received > 0 && received < expected;
    }

    /** Returns the message's identifier. */
    public int id() {
        return Short.toUnsignedInt(in.get(JAVA_SHORT_UNALIGNED, 0));
    }

    /** Returns the message's command. */
    public int command() {
        return Short.toUnsignedInt(in.get(JAVA_SHORT_UNALIGNED, 2));
    }

    /** Returns the message's flags. */
    public int flags() {
        return in.get(JAVA_INT_UNALIGNED, 8);
    }

    /** Returns the message's error number. */
    public int errno() {
        return in.get(JAVA_INT_UNALIGNED, 12);
    }

    /** Returns the message's body. */
    public MemorySegment body() {
        return in.asSlice(Protocol.HEADER_BYTES, expected - Protocol.HEADER_BYTES);
    }

    /** Returns the number of descriptors that came with the message. */
    public int descriptors() {
        return passed.length;
    }

    /** Takes the message's descriptors, of which the caller takes ownership. */
    public int[] takeDescriptors() {
        int[] taken = passed;
        passed = NONE;
        return taken;
    }

    /** Discards the message, and closes its descriptors unless they were taken. */
    public void next() {
        for (int fd : takeDescriptors()) {
            KernelCalls.instance().close(fd);
        }
        received = 0;
        expected = Protocol.HEADER_BYTES;
    }

    /**
     * Returns the buffer for the next message's body, of the largest length that a body can have.
     */
    public MemorySegment outgoing() {
        return out.asSlice(Protocol.HEADER_BYTES);
    }

    /**
     * Starts sending a message whose body is in {@link #outgoing}. {@link #flush} sends the rest.
     *
     * @param descriptors descriptors to pass; the caller keeps ownership
     */
    public void send(
            int id, int command, int flags, int errno, long bodyBytes, int... descriptors) {
        sent = 0;
        toSend = Protocol.HEADER_BYTES + bodyBytes;
        sending = descriptors;
        out.set(JAVA_SHORT_UNALIGNED, 0, (short) id);
        out.set(JAVA_SHORT_UNALIGNED, 2, (short) command);
        out.set(JAVA_INT_UNALIGNED, 4, (int) toSend);
        out.set(JAVA_INT_UNALIGNED, 8, flags);
        out.set(JAVA_INT_UNALIGNED, 12, errno);
    }

    /**
     * Sends as much of the message as the socket accepts.
     *
     * @return whether all of the message is sent
     * @throws PeerlaneException if the connection is broken
     */
    public boolean flush() {
        while (sent < toSend) {
            long result = socket.send(out, sent, toSend - sent, sent == 0 ? sending : NONE);
            if (result == -Errno.EAGAIN) {
                return false;
            }
            check(result, "sendmsg");
            sent += result;
        }
        return true;
    }

    private void check(long result, String call) {
        KernelException.check(
                result, "vfio-user-gone", call, peer, "See whether its process is still there");
    }

    private PeerlaneException ended() {
        return PeerlaneException.machine(
                "vfio-user-gone",
                peer + " has closed the connection",
                "See whether its process is still there, and that nobody else uses the device");
    }

    /** Closes the connection and the descriptors that came over it. Closing again has no effect. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        next();
        arena.close();
        socket.close();
    }
}
