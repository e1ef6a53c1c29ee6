package dev.peerlane.emulator.media;

import dev.peerlane.PeerlaneException;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A medium in a file. The file is locked while the medium is open. */
final class ImageMedia extends Media {
    private static final int ZERO_BYTES = 1 << 20;

    private final IdentityHashMap<MemorySegment, ByteBuffer> views = new IdentityHashMap<>();
    private final FileChannel channel;
    private final long sizeBytes;
    private final Room room;
    private final @Nullable Path made;
    private @Nullable ByteBuffer zeroes;

    /** Initially true: the file's previous user may have left data in the system's cache. */
    private boolean dirty = true;

    /** Returns how many bytes the file system has left for this process. */
    interface Room {
        long usableBytes() throws IOException;
    }

    /**
     * Creates a medium.
     *
     * @param made the file if it was made for this medium; null if it existed
     */
    ImageMedia(FileChannel channel, long sizeBytes, Room room, @Nullable Path made) {
        this.room = room;
        this.made = made;
        this.channel = channel;
        this.sizeBytes = sizeBytes;
    }

    /**
     * Opens an image.
     *
     * @param sizeBytes the length that the file must have, and with which a missing file is made; 0
     *     accepts the length of the file
     * @param blockBytes the length must be a multiple of this
     */
    static ImageMedia open(Path file, long sizeBytes, int blockBytes, boolean readOnly) {
        boolean exists = Files.exists(file);
        if (!exists && (sizeBytes == 0 || readOnly)) {
            throw PeerlaneException.request(
                    "no-image",
                    "image file " + file + " does not exist",
                    "Name an existing file, or give a size to have it made");
        }
        if (!Files.isRegularFile(file) && exists && !file.startsWith("/dev")) {
            throw PeerlaneException.request(
                    "image-unreadable",
                    "image file " + file + " is a folder, a pipe or a socket",
                    "Name a file, or a block device below /dev");
        }
        Set<StandardOpenOption> options = new HashSet<>();
        options.add(StandardOpenOption.READ);
        if (!readOnly) {
            options.add(StandardOpenOption.WRITE);
        }
        if (!exists) {
            options.add(StandardOpenOption.CREATE_NEW);
            options.add(StandardOpenOption.SPARSE);
        }
        FileChannel channel = null;
        boolean done = false;
        try {
            channel = FileChannel.open(file, options);
            lock(channel, file, readOnly);
            if (!exists) {
                channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
            }
            long length = checkLength(file, channel.size(), sizeBytes, blockBytes);
            done = true;
            Room room = () -> Files.getFileStore(file).getUsableSpace();
            return new ImageMedia(channel, length, room, exists ? null : file);
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "image-unreadable",
                    "image file " + file + " can't be opened: " + e.getMessage(),
                    "Check the path, the permissions and the free space",
                    e);
        } finally {
            if (!done && channel != null) {
                closeQuietly(channel);
                if (!exists) {
                    deleteQuietly(file);
                }
            }
        }
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long position, MemorySegment target, long offset, long bytes)
            throws IOException {
        ByteBuffer buffer = part(target, offset, bytes);
        long at = position;
        while (buffer.hasRemaining()) {
            int n = channel.read(buffer, at);
            if (n < 0) {
                throw shorter();
            }
            at += n;
        }
    }

    @Override
    public void write(long position, MemorySegment source, long offset, long bytes, boolean durable)
            throws IOException {
        dirty = true;
        checkWhole();
        writeAll(part(source, offset, bytes), position);
        if (durable) {
            flush();
        }
    }

    @Override
    public void clear(long position, long bytes) throws IOException {
        checkWhole();
        ByteBuffer source = zeroes;
        if (source == null) {
            source = ByteBuffer.allocateDirect(ZERO_BYTES);
            zeroes = source;
        }
        dirty = true;
        long done = 0;
        while (done < bytes) {
            int n = (int) Math.min(bytes - done, ZERO_BYTES);
            source.clear().limit(n);
            writeAll(source, position + done);
            done += n;
        }
    }

    @Override
    public boolean isDirty() {
        return dirty;
    }

    @Override
    public void flush() throws IOException {
        checkWhole();
        if (!dirty) {
            return;
        }
        try {
            channel.force(false);
            dirty = false;
        } catch (IOException e) {
            throw withReason(e, 1);
        }
    }

    @Override
    void undo() {
        close();
        if (made != null) {
            deleteQuietly(made);
        }
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }

    /**
     * Returns a view of memory. Views of the controller's own memory, which is in few segments, are
     * reused.
     */
    private ByteBuffer part(MemorySegment memory, long offset, long bytes) {
        ByteBuffer view = views.get(memory);
        if (view == null) {
            // a CMB can be longer than a view
            if (!memory.isNative() || memory.byteSize() > Integer.MAX_VALUE) {
                return memory.asSlice(offset, bytes).asByteBuffer();
            }
            view = memory.asByteBuffer();
            views.put(memory, view);
        }
        int from = Math.toIntExact(offset);
        return view.limit(from + Math.toIntExact(bytes)).position(from);
    }

    /**
     * Throws if the image became shorter. A write past its end would lengthen it again, with zeroes
     * in place of what was lost.
     */
    private void checkWhole() throws IOException {
        if (channel.size() < sizeBytes) {
            throw shorter();
        }
    }

    private EOFException shorter() {
        return new EOFException("the image became shorter than " + sizeBytes + " bytes");
    }

    private void writeAll(ByteBuffer buffer, long position) throws IOException {
        long at = position;
        while (buffer.hasRemaining()) {
            try {
                at += channel.write(buffer, at);
            } catch (IOException e) {
                throw withReason(e, buffer.remaining());
            }
        }
    }

    /**
     * Tells a full file system from a failing one. Java does not expose the error number, and the
     * text is in the user's language, so this also checks the free space.
     */
    private IOException withReason(IOException e, long bytes) {
        String text = String.valueOf(e.getMessage());
        if (text.contains("No space left") || text.contains("quota exceeded")) {
            return new OutOfSpaceException(e);
        }
        try {
            return room.usableBytes() < bytes ? new OutOfSpaceException(e) : e;
        } catch (IOException unknown) {
            e.addSuppressed(unknown);
            return e;
        }
    }

    private static void lock(FileChannel channel, Path file, boolean readOnly) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock(0, Long.MAX_VALUE, readOnly);
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw PeerlaneException.machine(
                    "image-in-use",
                    "image file " + file + " is in use by another emulated drive",
                    "Close the other one, or name another file");
        }
    }

    private static long checkLength(Path file, long length, long wanted, int blockBytes) {
        if (wanted != 0 && length != wanted) {
            throw PeerlaneException.request(
                    "image-size",
                    "image file " + file + " has " + length + " bytes, not " + wanted,
                    "Leave the size out, or name another file");
        }
        if (length == 0 || length % blockBytes != 0) {
            throw PeerlaneException.request(
                    "image-size",
                    "image file "
                            + file
                            + " has "
                            + length
                            + " bytes, not a multiple of the block length "
                            + blockBytes,
                    "Name a file of whole blocks, or another block size");
        }
        return length;
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // the error that is thrown names the file
            return;
        }
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // nothing is lost: only a Flush command makes data durable
            return;
        }
    }
}
