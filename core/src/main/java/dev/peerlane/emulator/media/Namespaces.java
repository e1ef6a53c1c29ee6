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

/** The namespaces of a controller; identifiers go from 1 on without gaps. */
public final class Namespaces implements AutoCloseable {
    private final List<EmulatedNamespace> all = new ArrayList<>();

    /** Opens them; none stays open if one can't be. */
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

    /** Returns how many there are. */
    public int count() {
        return all.size();
    }

    /** Returns the namespace of an identifier, or null. */
    public @Nullable EmulatedNamespace get(int nsid) {
        return nsid > 0 && nsid <= all.size() ? all.get(nsid - 1) : null;
    }

    /** Returns whether one is not of the NVM Command Set. */
    public boolean hasOtherCommandSets() {
        return all.stream().anyMatch(n -> n.model().commandSet() != CommandSet.NVM);
    }

    /** Returns the bytes of a medium, its cache included, past all commands. */
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

    /** Makes bytes the beginning of a medium, past all commands. */
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

    /** Writes all caches to their media, as a shutdown does; tells of each that fails. */
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

    /** Closes them, and removes the files that were made for them. */
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
