package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.watch.ControllerStatistics;
import java.util.Arrays;

/** Counts what one controller does. */
final class CommandCounts implements ControllerStatistics {
    private static final int OPCODES = 256;

    private final long[] adminCommands = new long[OPCODES];
    private final long[] ioCommands = new long[OPCODES];
    private long[] turnsAtDepth = new long[64];
    private long[] nanosAtDepth = new long[64];
    private long lastTurnNanos;
    private int lastDepth;
    private long failedCommands;
    private long doorbells;
    private int inFlight;
    private int maxInFlight;

    @Override
    public long adminCommands(int opcode) {
        return adminCommands[opcode];
    }

    @Override
    public long ioCommands(int opcode) {
        return ioCommands[opcode];
    }

    @Override
    public long ioCommands() {
        return Arrays.stream(ioCommands).sum();
    }

    @Override
    public long failedCommands() {
        return failedCommands;
    }

    @Override
    public long doorbells() {
        return doorbells;
    }

    @Override
    public int inFlight() {
        return inFlight;
    }

    @Override
    public int maxInFlight() {
        return maxInFlight;
    }

    @Override
    public long turnsAtDepth(int depth) {
        return depth < turnsAtDepth.length ? turnsAtDepth[depth] : 0;
    }

    @Override
    public long nanosAtDepth(int depth) {
        return depth < nanosAtDepth.length ? nanosAtDepth[depth] : 0;
    }

    @Override
    public double meanInFlight() {
        long nanos = 0;
        double sum = 0;
        for (int depth = 1; depth < nanosAtDepth.length; depth++) {
            nanos += nanosAtDepth[depth];
            sum += (double) depth * nanosAtDepth[depth];
        }
        return nanos == 0 ? 0 : sum / nanos;
    }

    void doorbell() {
        doorbells++;
    }

    void fetched(boolean admin, int opcode) {
        if (admin) {
            adminCommands[opcode]++;
            return;
        }
        ioCommands[opcode]++;
        inFlight++;
        maxInFlight = Math.max(maxInFlight, inFlight);
    }

    /** Discards the commands in flight from the counts. */
    void settle() {
        inFlight = 0;
    }

    void over(boolean admin, boolean failed) {
        if (!admin) {
            inFlight--;
        }
        if (failed) {
            failedCommands++;
        }
    }

    /** Ends a turn. The depth changes only in turns, so it was the same since the last one. */
    void turn(long now) {
        int deepest = Math.max(inFlight, lastDepth);
        if (deepest >= turnsAtDepth.length) {
            turnsAtDepth = Arrays.copyOf(turnsAtDepth, 2 * deepest);
            nanosAtDepth = Arrays.copyOf(nanosAtDepth, 2 * deepest);
        }
        turnsAtDepth[inFlight]++;
        nanosAtDepth[lastDepth] += lastTurnNanos == 0 ? 0 : now - lastTurnNanos;
        lastTurnNanos = now;
        lastDepth = inFlight;
    }
}
