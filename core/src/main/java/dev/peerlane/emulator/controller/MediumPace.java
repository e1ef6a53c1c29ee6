package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.media.EmulatedNamespace;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import java.util.SplittableRandom;

/** How fast a drive's medium is: a latency for each I/O command, and a rate that all share. */
final class MediumPace {
    private final DriveModel drive;
    private final SplittableRandom random;
    private long freeNanos;

    MediumPace(DriveModel drive, SplittableRandom random) {
        this.drive = drive;
        this.random = random;
    }

    /** Whatever it was at work on is forgotten. */
    void reset() {
        freeNanos = 0;
    }

    /** Returns when a command that was fetched now may begin. */
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

    /** At least what the drive has, at most a quarter more: no two commands take the same time. */
    private long latencyNanos() {
        long least = drive.latencyNanos();
        return least == 0 ? 0 : least + random.nextLong(least / 4 + 1);
    }
}
