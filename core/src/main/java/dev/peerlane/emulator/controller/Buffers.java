package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.DriveModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** The memory inside a controller through which the data of commands passes. */
final class Buffers {
    private static final long COMMON_BYTES = 1 << 20;

    private final Arena arena;
    private final long leastBytes;
    private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
    private @Nullable MemorySegment scratch;

    Buffers(Arena arena, DriveModel drive) {
        this.arena = arena;
        this.leastBytes = drive.mdts() == 0 ? COMMON_BYTES : drive.maxTransferBytes();
    }

    /** Gives a command a buffer of at least this length for its data. */
    MemorySegment attach(Command command, long bytes) {
        release(command);
        MemorySegment buffer = free.poll();
        if (buffer == null || buffer.byteSize() < bytes) {
            buffer = arena.allocate(Math.max(bytes, leastBytes), 4096);
        }
        command.buffer(buffer);
        return buffer;
    }

    /** Takes the buffer of {@link #attach} back from a command. */
    void release(Command command) {
        if (command.hasBuffer()) {
            free.push(command.buffer());
            command.buffer(null);
        }
    }

    /** Returns memory of at least this length, valid until the next call. */
    MemorySegment scratch(long bytes) {
        MemorySegment memory = scratch;
        if (memory == null || memory.byteSize() < bytes) {
            memory = arena.allocate(bytes, 64);
            scratch = memory;
        }
        return memory;
    }
}
