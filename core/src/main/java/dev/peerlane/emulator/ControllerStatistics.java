package dev.peerlane.emulator;

import java.util.Arrays;

/**
 * What one controller did since it was made, for tests and for people who tune: the controller's
 * own view, so nobody else has to be believed. Used by the thread that owns the fabric.
 */
public final class ControllerStatistics {
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

    ControllerStatistics() {}

    /** Returns how many admin commands of an opcode were fetched. */
    public long adminCommands(int opcode) {
        return adminCommands[opcode];
    }

    /** Returns how many I/O commands of an opcode were fetched. */
    public long ioCommands(int opcode) {
        return ioCommands[opcode];
    }

    /** Returns how many I/O commands were fetched. */
    public long ioCommands() {
        return Arrays.stream(ioCommands).sum();
    }

    /** Returns how many commands of both kinds ended in an error. */
    public long failedCommands() {
        return failedCommands;
    }

    /** Returns how many doorbell writes arrived, right or wrong. */
    public long doorbells() {
        return doorbells;
    }

    /** Returns how many I/O commands are fetched and not completed now. */
    public int inFlight() {
        return inFlight;
    }

    /** Returns the most I/O commands that were ever fetched and not completed. */
    public int maxInFlight() {
        return maxInFlight;
    }

    /**
     * Returns in how many turns exactly {@code depth} I/O commands were fetched and not completed.
     * Turns are of different length in virtual time: {@link #nanosAtDepth} measures time.
     */
    public long turnsAtDepth(int depth) {
        return depth < turnsAtDepth.length ? turnsAtDepth[depth] : 0;
    }

    /**
     * Returns for how long exactly {@code depth} I/O commands were fetched and not completed, by
     * the fabric's clock: the histogram of the pipeline over time.
     */
    public long nanosAtDepth(int depth) {
        return depth < nanosAtDepth.length ? nanosAtDepth[depth] : 0;
    }

    /** Returns the mean number of I/O commands in flight over the time in which there were any. */
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

    /** All commands are forgotten. */
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

    /** A turn is over. Depth changes in turns only, so it was the same since the last one. */
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
