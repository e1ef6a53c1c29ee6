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
     * Returns in how many turns exactly {@code depth} I/O commands were fetched and not completed:
     * the histogram of the pipeline over time.
     */
    public long turnsAtDepth(int depth) {
        return depth < turnsAtDepth.length ? turnsAtDepth[depth] : 0;
    }

    /** Returns the mean number of I/O commands in flight over those turns that had any. */
    public double meanInFlight() {
        long turns = 0;
        double sum = 0;
        for (int depth = 1; depth < turnsAtDepth.length; depth++) {
            turns += turnsAtDepth[depth];
            sum += (double) depth * turnsAtDepth[depth];
        }
        return turns == 0 ? 0 : sum / turns;
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

    void over(boolean admin, boolean failed) {
        if (!admin) {
            inFlight--;
        }
        if (failed) {
            failedCommands++;
        }
    }

    void turn() {
        if (inFlight >= turnsAtDepth.length) {
            turnsAtDepth = Arrays.copyOf(turnsAtDepth, 2 * inFlight);
        }
        turnsAtDepth[inFlight]++;
    }
}
