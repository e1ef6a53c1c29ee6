package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.Status;
import org.jspecify.annotations.Nullable;

/**
 * Something that goes wrong on an emulated fabric: at its n-th occasion, and so many times in a
 * row. The occasion of most kinds is a command of the drive that matches queue and opcode, counted
 * as it is fetched; {@link Kind} names the others.
 *
 * @param kind what happens
 * @param drive at which drive; null where the host's memory is what fails
 * @param occasion at which occasion it begins, counted from 1
 * @param times at how many in a row
 * @param queue commands of which queues count
 * @param opcode commands of which opcode count; {@link #ANY_OPCODE} for all
 * @param status how the command ends, without phase tag, DNR as bit 14; of kinds STATUS and
 *     LATE_DATA only
 * @param nanos how long it takes, of kinds that take time
 * @param first where it begins, of kinds that have a range: a block, or a byte of the CMB
 * @param length how long that range is; 0 for all that follows
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
    /** Commands of every opcode count. */
    public static final int ANY_OPCODE = -1;

    private static final int LAST_STATUS = 0x7fff;
    private static final String RANGE =
            "Faults of kind compare-lies and cmb-hole have a range from 0 on, others none";

    /** What an occasion is. */
    public enum Occasion {
        COMMAND,
        PEER_WRITE,
        CMB_ENABLE,
        MAPPING,
        ALLOCATION,
        TURN
    }

    /** What happens. */
    public enum Kind {
        /** The command ends with {@link Fault#status} and does nothing. */
        STATUS(Occasion.COMMAND),
        /**
         * The blocks of the command are bad from now on, for commands of its opcode. Nothing
         * happens to a command that names no blocks.
         */
        BAD_BLOCKS(Occasion.COMMAND),
        /** The data is wrong though the command ends with success: one bit is the other. */
        WRONG_DATA(Occasion.COMMAND),
        /**
         * From now on a Compare finds no difference in the blocks of {@link Fault#first} and {@link
         * Fault#length}, whatever is on the medium.
         */
        COMPARE_LIES(Occasion.COMMAND),
        /** The command begins so much later. */
        SLOW(Occasion.COMMAND),
        /** The controller does nothing at all for so long: its queues fill. */
        STALL(Occasion.COMMAND),
        /** The command is not seen to end, can't be aborted, and moves its data so much later. */
        ZOMBIE(Occasion.COMMAND),
        /**
         * A Read ends with {@link Fault#status}, and moves its data all the same, so much later.
         */
        LATE_DATA(Occasion.COMMAND),
        /** The completion is never posted. */
        LOST_COMPLETION(Occasion.COMMAND),
        /** The completion is posted twice. */
        DUPLICATE_COMPLETION(Occasion.COMMAND),
        /** The completion is posted so much later. */
        LATE_COMPLETION(Occasion.COMMAND),
        /** Before the completion comes one for a command that nobody posted. */
        FORGED_COMPLETION(Occasion.COMMAND),
        /** The completion has another command identifier. */
        WRONG_CID(Occasion.COMMAND),
        /** The completion has the wrong phase tag. */
        WRONG_PHASE(Occasion.COMMAND),
        /** The controller fails: CSTS.CFS. */
        FATAL(Occasion.COMMAND),
        /** Somebody else resets the controller. */
        RESET(Occasion.COMMAND),
        /** The drive is pulled out: reads of its BARs return ones. */
        GONE(Occasion.COMMAND),
        /** CMBSZ loses RDS and WDS. */
        CMB_DATA_WITHDRAWN(Occasion.COMMAND),
        /** Occasion: CMBMSC is written with CMSE; CMBSTS.CBAI is set. */
        CBAI(Occasion.CMB_ENABLE),
        /**
         * Occasion as above: from now on no write of another function reaches the bytes of {@link
         * Fault#first} and {@link Fault#length} of the CMB.
         */
        CMB_HOLE(Occasion.CMB_ENABLE),
        /**
         * Occasion: a posted write of data to another function's memory, a page of a command or
         * less; a packet where there are packets. It never arrives.
         */
        DROPPED_WRITE(Occasion.PEER_WRITE),
        /** Occasion as above; it and the data behind it arrive so much later. */
        DELAYED_WRITE(Occasion.PEER_WRITE),
        /** Occasion as above; it arrives, and once more so much later. */
        DUPLICATED_WRITE(Occasion.PEER_WRITE),
        /** Occasion: a BAR is mapped for peers; it fails. */
        MAPPING(Occasion.MAPPING),
        /** Occasion: host memory is allocated for DMA; it fails. */
        ALLOCATION(Occasion.ALLOCATION),
        /** Occasion: a turn of the fabric's clock, whatever goes on; else as RESET. */
        SUDDEN_RESET(Occasion.TURN),
        /** Occasion as above: somebody else clears CC.EN. */
        SUDDEN_DISABLE(Occasion.TURN),
        /** Occasion as above; else as GONE. */
        SUDDEN_REMOVAL(Occasion.TURN);

        private final Occasion occasion;

        Kind(Occasion occasion) {
            this.occasion = occasion;
        }

        public Occasion occasion() {
            return occasion;
        }

        /** Returns whether the command ends with a status of the fault's. */
        public boolean hasStatus() {
            return this == STATUS || this == LATE_DATA;
        }

        /** Returns whether it happens between two steps, rather than to something that moves. */
        public boolean isSudden() {
            return occasion == Occasion.TURN;
        }

        /** Returns whether it has a range. */
        public boolean hasRange() {
            return this == COMPARE_LIES || this == CMB_HOLE;
        }

        /** Returns whether it happens to host memory rather than at a drive. */
        public boolean isOfHost() {
            return occasion == Occasion.MAPPING || occasion == Occasion.ALLOCATION;
        }
    }

    /** Which commands count. */
    public enum Queue {
        /** All of them. */
        ANY,
        /** Those of the admin queue. */
        ADMIN,
        /** Those of I/O queues. */
        IO
    }

    /** Checks the ranges. */
    public Fault {
        require(
                kind.isOfHost() == (drive == null),
                kind,
                "drive",
                drive,
                "Name one drive, or none");
        require(occasion > 0, kind, "occasion", occasion, "Count from 1");
        require(times > 0, kind, "times", times, "Take 1 or more");
        require(opcode >= ANY_OPCODE && opcode < 256, kind, "opcode", opcode, "Take 0 to 255");
        require(nanos >= 0, kind, "delay", nanos, "Take 0 or more");
        require(first >= 0 && (first == 0 || kind.hasRange()), kind, "first", first, RANGE);
        require(length >= 0 && (length == 0 || kind.hasRange()), kind, "length", length, RANGE);
        boolean ends = status > 0 && status <= LAST_STATUS;
        require(
                kind.hasStatus() ? ends && Status.code(status) != 0 : status == 0,
                kind,
                "status",
                status,
                "A fault of kind status or late-data has one above 0 and up to 32767, others none");
    }

    /** Returns the first occasion at a drive, for any command. */
    public static Fault at(Kind kind, String drive) {
        int status = kind.hasStatus() ? Status.INTERNAL_ERROR : 0;
        return new Fault(kind, drive, 1, 1, Queue.ANY, ANY_OPCODE, status, 0, 0, 0);
    }

    /** Returns the first occasion at the host's memory. */
    public static Fault ofHost(Kind kind) {
        return new Fault(kind, null, 1, 1, Queue.ANY, ANY_OPCODE, 0, 0, 0, 0);
    }

    /** Returns this at another occasion. */
    public Fault withOccasion(int number) {
        return new Fault(kind, drive, number, times, queue, opcode, status, nanos, first, length);
    }

    /** Returns this so many times in a row. */
    public Fault withTimes(int number) {
        return new Fault(
                kind, drive, occasion, number, queue, opcode, status, nanos, first, length);
    }

    /** Returns this for commands of I/O queues with an opcode. */
    public Fault onIo(int code) {
        return new Fault(
                kind, drive, occasion, times, Queue.IO, code, status, nanos, first, length);
    }

    /** Returns this for commands of the admin queue with an opcode. */
    public Fault onAdmin(int code) {
        return new Fault(
                kind, drive, occasion, times, Queue.ADMIN, code, status, nanos, first, length);
    }

    /** Returns this with another status. */
    public Fault withStatus(int code) {
        return new Fault(kind, drive, occasion, times, queue, opcode, code, nanos, first, length);
    }

    /** Returns this with another length of time. */
    public Fault withNanos(long time) {
        return new Fault(kind, drive, occasion, times, queue, opcode, status, time, first, length);
    }

    /** Returns this for a range of blocks, or of bytes of the CMB; length 0 for all from there. */
    public Fault withRange(long from, long many) {
        return new Fault(kind, drive, occasion, times, queue, opcode, status, nanos, from, many);
    }

    /** Returns whether its range holds a number. */
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
