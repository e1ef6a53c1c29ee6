package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.media.EmulatedNamespace;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import java.util.SplittableRandom;

/**
 * The speed of a drive's medium: a latency for each I/O command, and a rate that all commands
 * share.
 */
final class MediumPace {
    private final DriveModel drive;
    private final SplittableRandom random;
    private long freeNanos;

    MediumPace(DriveModel drive, SplittableRandom random) {
        this.drive = drive;
        this.random = random;
    }

    /** Discards the work that is queued. */
    void reset() {
        freeNanos = 0;
    }

    /** Returns the time at which a command that was fetched now may begin. */
    long dueNanos(Command command, Namespaces namespaces, long now) {
        if (command.isAdmin()) {
            return now;
        }
        long due = now + latencyNanos();
        if (drive.bytesPerSecond() > 0) {
            EmulatedNamespace namespace = namespaces.get(command.nsid());
            if (namespace != null) {
                long bytes = NvmCommands.mediumBytes(command, namespace);
                long nanos = Math.round(bytes * 1e9 / drive.bytesPerSecond());
                freeNanos = Math.max(freeNanos, now) + nanos;
                due = Math.max(due, freeNanos);
            }
        }
        return due;
    }

    /**
     * Returns the drive's latency plus up to a quarter at random, so that no two commands take the
     * same time.
     */
    private long latencyNanos() {
        long least = drive.latencyNanos();
        return least == 0 ? 0 : least + random.nextLong(least / 4 + 1);
    }
}
