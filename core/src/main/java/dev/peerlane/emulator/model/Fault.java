package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.Status;
import org.jspecify.annotations.Nullable;

/**
 * A planned fault of an emulated fabric. It happens at its n-th occasion, and at a number of
 * further ones in a row. For most kinds an occasion is a command of the drive that matches queue
 * and opcode, counted when it is fetched; {@link Kind} names the other occasions.
 *
 * @param kind what happens
 * @param drive the drive; null for a fault of host memory
 * @param occasion the first occasion at which it happens, counted from 1
 * @param times how many times in a row it happens
 * @param queue the queues whose commands count
 * @param opcode the opcode whose commands count; {@link #ANY_OPCODE} for all
 * @param status the status of the command, without phase tag, with DNR as bit 14; for kinds STATUS
 *     and LATE_DATA only
 * @param nanos the duration, for kinds that have one
 * @param first the beginning of the range, for kinds that have one: a block, or a byte of the CMB
 * @param length length of that range; 0 for all that follows
 */
public record Fault(
        Kind kind,
        @Nullable String drive,
        int occasion,
        int times,
        Queue queue,
        int opcode,
        int status,
        long nanos,
        long first,
        long length) {
    /** The value of {@code opcode} with which commands of every opcode count. */
    public static final int ANY_OPCODE = -1;

    private static final int LAST_STATUS = 0x7fff;
    private static final String RANGE =
            "Only compare-lies and cmb-hole have a range; it begins at 0 or above";

    /** The kinds of faults. */
    public enum Kind {
        /** The command ends with {@link Fault#status} and has no effect. */
        STATUS,
        /**
         * The blocks of the command are bad from now on, for commands of its opcode. A command
         * without blocks is not affected.
         */
        BAD_BLOCKS,
        /** One bit of the data is wrong, though the command ends with success. */
        WRONG_DATA,
        /**
         * From now on a Compare finds no difference in the blocks from {@link Fault#first} on,
         * {@link Fault#length} of them, whatever is on the medium.
         */
        COMPARE_LIES,
        /** The command begins {@link Fault#nanos} later. */
        SLOW,
        /** The controller does nothing for {@link Fault#nanos}, so its queues fill. */
        STALL,
        /**
         * The command never completes, can't be aborted, and moves its data {@link Fault#nanos}
         * later.
         */
        ZOMBIE,
        /**
         * A Read ends with {@link Fault#status}, but moves its data all the same, {@link
         * Fault#nanos} later.
         */
        LATE_DATA,
        /** The completion is never posted. */
        LOST_COMPLETION,
        /** The completion is posted twice. */
        DUPLICATE_COMPLETION,
        /** The completion is posted {@link Fault#nanos} later. */
        LATE_COMPLETION,
        /** A completion for a command that does not exist precedes the command's own. */
        FORGED_COMPLETION,
        /** The completion has another command identifier. */
        WRONG_CID,
        /** The completion has the wrong phase tag. */
        WRONG_PHASE,
        /** The controller fails: CSTS.CFS. */
        FATAL,
        /** Something other than the host resets the controller. */
        RESET,
        /** The drive is removed from its slot: reads of its BARs return ones. */
        GONE,
        /** CMBSZ loses RDS and WDS. */
        CMB_DATA_WITHDRAWN,
        /** When CMBMSC is written with CMSE, the address is refused: CMBSTS.CBAI is set. */
        CBAI,
        /**
         * When CMBMSC is written with CMSE, a hole appears: from now on no write of another
         * function reaches the {@link Fault#length} bytes of the CMB from {@link Fault#first} on.
         */
        CMB_HOLE,
        /**
         * A posted data write to another function's memory never arrives. An occasion is a page of
         * a command or less, or a packet on a fabric with packets.
         */
        DROPPED_WRITE,
        /** Such a write, and the data behind it, arrive {@link Fault#nanos} later. */
        DELAYED_WRITE,
        /** Such a write arrives, and arrives again {@link Fault#nanos} later. */
        DUPLICATED_WRITE,
        /** Mapping a BAR for peers fails. */
        MAPPING,
        /** Allocating host memory for DMA fails. */
        ALLOCATION,
        /**
         * The same as {@link #RESET}, but in a turn of the fabric's clock, whatever is going on.
         */
        SUDDEN_RESET,
        /** Something other than the host clears CC.EN in a turn of the fabric's clock. */
        SUDDEN_DISABLE,
        /** The same as {@link #GONE}, but in a turn of the fabric's clock. */
        SUDDEN_REMOVAL;

        /** Returns whether the command ends with this fault's status. */
        public boolean hasStatus() {
            return this == STATUS || this == LATE_DATA;
        }

        /**
         * Returns whether the fault happens in a turn of the clock, rather than to something that
         * moves.
         */
        public boolean isSudden() {
            return this == SUDDEN_RESET || this == SUDDEN_DISABLE || this == SUDDEN_REMOVAL;
        }

        /** Returns whether the fault has a range. */
        public boolean hasRange() {
            return this == COMPARE_LIES || this == CMB_HOLE;
        }

        /** Returns whether the fault is one of host memory rather than of a drive. */
        public boolean isOfHost() {
            return this == MAPPING || this == ALLOCATION;
        }
    }

    /** The queues whose commands count. */
    public enum Queue {
        /** All queues. */
        ANY,
        /** The admin queue. */
        ADMIN,
        /** I/O queues. */
        IO
    }

    /** Checks the ranges. */
    public Fault {
        require(
                kind.isOfHost() == (drive == null),
                kind,
                "drive",
                drive,
                "Name a drive, except for faults of host memory");
        require(occasion > 0, kind, "occasion", occasion, "Count from 1");
        require(times > 0, kind, "times", times, "Use 1 or more");
        require(opcode >= ANY_OPCODE && opcode < 256, kind, "opcode", opcode, "Use 0 to 255");
        require(nanos >= 0, kind, "delay", nanos, "Use 0 or more");
        require(first >= 0 && (first == 0 || kind.hasRange()), kind, "first", first, RANGE);
        require(length >= 0 && (length == 0 || kind.hasRange()), kind, "length", length, RANGE);
        boolean ends = status > 0 && status <= LAST_STATUS;
        require(
                kind.hasStatus() ? ends && Status.code(status) != 0 : status == 0,
                kind,
                "status",
                status,
                "Only status and late-data have a status, from 1 to 32767");
    }

    /** Returns a fault that happens at a drive, at the first command. */
    public static Fault at(Kind kind, String drive) {
        int status = kind.hasStatus() ? Status.INTERNAL_ERROR : 0;
        return new Fault(kind, drive, 1, 1, Queue.ANY, ANY_OPCODE, status, 0, 0, 0);
    }

    /** Returns a fault that happens to host memory, at the first occasion. */
    public static Fault ofHost(Kind kind) {
        return new Fault(kind, null, 1, 1, Queue.ANY, ANY_OPCODE, 0, 0, 0, 0);
    }

    /** Returns this fault at another occasion. */
    public Fault withOccasion(int number) {
        return new Fault(kind, drive, number, times, queue, opcode, status, nanos, first, length);
    }

    /** Returns this fault with another number of times in a row. */
    public Fault withTimes(int number) {
        return new Fault(
                kind, drive, occasion, number, queue, opcode, status, nanos, first, length);
    }

    /** Returns this fault for commands of I/O queues with an opcode. */
    public Fault onIo(int code) {
        return new Fault(
                kind, drive, occasion, times, Queue.IO, code, status, nanos, first, length);
    }

    /** Returns this fault for commands of the admin queue with an opcode. */
    public Fault onAdmin(int code) {
        return new Fault(
                kind, drive, occasion, times, Queue.ADMIN, code, status, nanos, first, length);
    }

    /** Returns this fault with another status. */
    public Fault withStatus(int code) {
        return new Fault(kind, drive, occasion, times, queue, opcode, code, nanos, first, length);
    }

    /** Returns this fault with another duration. */
    public Fault withNanos(long time) {
        return new Fault(kind, drive, occasion, times, queue, opcode, status, time, first, length);
    }

    /**
     * Returns this fault for a range of blocks, or of bytes of the CMB; length 0 for all that
     * follow.
     */
    public Fault withRange(long from, long many) {
        return new Fault(kind, drive, occasion, times, queue, opcode, status, nanos, from, many);
    }

    /** Returns whether a number lies in the range. */
    public boolean holds(long number) {
        return number >= first && (length == 0 || number - first < length);
    }

    private static void require(
            boolean right, Kind kind, String field, @Nullable Object value, String remedy) {
        if (!right) {
            throw PeerlaneException.request(
                    "bad-fabric",
                    "a fault of kind %s has %s %s".formatted(kind, field, value),
                    remedy);
        }
    }
}
