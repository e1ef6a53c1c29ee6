package dev.peerlane.emulator.media;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.spec.CommandSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The namespaces of a controller. Identifiers begin at 1 and have no gaps. */
public final class Namespaces implements AutoCloseable {
    private final List<EmulatedNamespace> all = new ArrayList<>();

    /** Opens the namespaces. If one can't be opened, none stays open. */
    public Namespaces(DriveModel drive, Arena arena) {
        boolean done = false;
        try {
            for (NamespaceModel model : drive.namespaces()) {
                all.add(new EmulatedNamespace(all.size() + 1, model, arena));
            }
            done = true;
        } finally {
            if (!done) {
                undo();
            }
        }
    }

    /** Returns the number of namespaces. */
    public int count() {
        return all.size();
    }

    /** Returns the namespace with an identifier, or null. */
    public @Nullable EmulatedNamespace get(int nsid) {
        return nsid > 0 && nsid <= all.size() ? all.get(nsid - 1) : null;
    }

    /** Returns whether a namespace uses a command set other than NVM. */
    public boolean hasOtherCommandSets() {
        return all.stream().anyMatch(n -> n.model().commandSet() != CommandSet.NVM);
    }

    /** Returns the bytes of a medium, including its cache. Bypasses all commands. */
    public byte[] content(int nsid) {
        Media media = media(nsid);
        byte[] bytes = new byte[Math.toIntExact(media.sizeBytes())];
        try {
            media.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes;
    }

    /** Overwrites the beginning of a medium. Bypasses all commands. */
    public void content(int nsid, byte[] bytes) {
        try {
            media(nsid).write(0, MemorySegment.ofArray(bytes), 0, bytes.length, true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Media media(int nsid) {
        EmulatedNamespace namespace = get(nsid);
        if (namespace == null) {
            throw new IllegalArgumentException("there is no namespace " + nsid);
        }
        return namespace.media();
    }

    /**
     * Writes all caches to their media, as a shutdown does. Calls {@code failed} for each one that
     * fails.
     */
    public void flush(Runnable failed) {
        for (EmulatedNamespace namespace : all) {
            try {
                if (!namespace.model().writeProtected()) {
                    namespace.media().flush();
                }
            } catch (IOException e) {
                failed.run();
            }
        }
    }

    /** Closes the namespaces, and deletes the files that were made for them. */
    public void undo() {
        all.forEach(EmulatedNamespace::undo);
        all.clear();
    }

    @Override
    public void close() {
        all.forEach(EmulatedNamespace::close);
        all.clear();
    }
}
