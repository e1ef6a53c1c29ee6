package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.DriveModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** Holds the memory inside a controller that the data of commands is in on its way. */
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

    /** Gives a command a place for its data, at least this long. */
    MemorySegment attach(Command command, long bytes) {
        release(command);
        MemorySegment buffer = free.poll();
        if (buffer == null || buffer.byteSize() < bytes) {
            buffer = arena.allocate(Math.max(bytes, leastBytes), 4096);
        }
        command.buffer(buffer);
        return buffer;
    }

    /** Takes away from a command what {@link #attach} gave it. */
    void release(Command command) {
        if (command.hasBuffer()) {
            free.push(command.buffer());
            command.buffer(null);
        }
    }

    /** Returns memory for one moment, at least this long. */
    MemorySegment scratch(long bytes) {
        MemorySegment memory = scratch;
        if (memory == null || memory.byteSize() < bytes) {
            memory = arena.allocate(bytes, 64);
            scratch = memory;
        }
        return memory;
    }
}
