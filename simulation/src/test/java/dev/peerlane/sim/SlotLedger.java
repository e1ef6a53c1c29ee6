package dev.peerlane.sim;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.pci.Bdf;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tracks who owns which slot, from the commands that pass through the ports of all running copies.
 * A slot has one command at a time, overlapping slots have one between them, and I/O data moves
 * only between a slot and the device whose command owns it. The data of a Read may arrive after its
 * completion or after its port was stopped, but not once the slot has another command, nor when the
 * copy is over.
 */
final class SlotLedger {
    /** The use that a command makes of its slot. */
    enum Use {
        READ("Read"),
        WRITE("Write"),
        COMPARE("Compare");

        private final String word;

        Use(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    private enum State {
        FREE,
        BUSY,
        DONE,
        STOPPED,
        /** Its controller was reset; its completion may have been posted before. */
        LOST
    }

    /** One port of one copy. */
    static final class Side {
        private final Object copy;
        private final Bdf device;

        /**
         * Creates a side.
         *
         * @param copy identifies the copy; slots of its ports have the same numbers
         * @param device the device that the port belongs to
         */
        Side(Object copy, Bdf device) {
            this.copy = copy;
            this.device = device;
        }
    }

    /** A slot of a copy. */
    private record Key(Object copy, int number) {}

    private static final class Slot {
        private final int number;
        private final long address;
        private final long bytes;
        private State state = State.FREE;
        private @Nullable Side side;
        private Use use = Use.READ;

        Slot(int number, long address, long bytes) {
            this.number = number;
            this.address = address;
            this.bytes = bytes;
        }

        /** Returns whether data may move between this slot and a device now. */
        boolean lets(Bdf initiator, boolean read) {
            if (side == null || !initiator.equals(side.device) || read == (use == Use.READ)) {
                return false;
            }
            // what a stopped port fetches is discarded, and data in flight to a slot may arrive as
            // long as the copy keeps its memory
            return state == State.BUSY
                    || state == State.STOPPED
                    || state == State.LOST
                    || (!read && state == State.DONE);
        }

        boolean overlaps(Slot other) {
            return address < other.address + other.bytes && other.address < address + bytes;
        }

        String words() {
            return "slot %d, %s"
                    .formatted(
                            number,
                            side == null
                                    ? "which no command had"
                                    : "%s %s of %s"
                                            .formatted(stateWord(), use.word(), side.device));
        }

        private String stateWord() {
            return switch (state) {
                case FREE -> "free after the";
                case BUSY -> "of the";
                case DONE -> "after the";
                case STOPPED, LOST -> "after the stopped";
            };
        }
    }

    private final Map<Key, Slot> slots = new LinkedHashMap<>();
    private final Set<Bdf> late = new HashSet<>();
    private final Set<Bdf> gone = new HashSet<>();
    private final Consumer<String> violation;

    SlotLedger(Consumer<String> violation) {
        this.violation = violation;
    }

    /** Notes that slots were attached to a port. Each port of a copy attaches the same slots. */
    void attached(
            Side side,
            PeerBuffer buffer,
            long offset,
            int slotBytes,
            int stride,
            int count,
            int first) {
        for (int i = 0; i < count; i++) {
            long address = buffer.busAddress() + offset + (long) i * stride;
            Key key = new Key(side.copy, first + i);
            Slot known = slots.get(key);
            if (known != null && known.address != address) {
                violation.accept(
                        "slot %d is at 0x%x for one port and at 0x%x for the other"
                                .formatted(first + i, known.address, address));
            }
            if (known == null) {
                slots.put(key, new Slot(first + i, address, slotBytes));
            }
        }
    }

    /** Notes that a command for a slot was posted. */
    void posted(Side side, Use use, int number) {
        Slot slot = slots.get(new Key(side.copy, number));
        if (slot == null) {
            violation.accept("slot %d is not attached: %s".formatted(number, use.word()));
            return;
        }
        for (Slot other : slots.values()) {
            if (other.state == State.BUSY && other.overlaps(slot)) {
                violation.accept(
                        "%s got a second command: %s".formatted(other.words(), use.word()));
            }
        }
        // a drive that is gone never sees the command, so it is over before it began
        slot.state = gone.contains(side.device) ? State.LOST : State.BUSY;
        slot.side = side;
        slot.use = use;
    }

    /** Notes that a command for a slot completed. */
    void completed(Side side, int number) {
        Slot slot = slots.get(new Key(side.copy, number));
        if (slot == null
                || (slot.state != State.BUSY && slot.state != State.LOST)
                || slot.side != side) {
            violation.accept(
                    "slot %d completed at %s with no command".formatted(number, side.device));
            return;
        }
        slot.state = State.DONE;
    }

    /** Notes that, according to a port, none of its commands can touch a slot any more. */
    void stopped(Side side) {
        for (Slot slot : slots.values()) {
            if (slot.side == side) {
                slot.state = State.STOPPED;
            }
        }
    }

    /** Notes that a controller has lost its queues, and all commands in them. */
    void reset(Bdf device) {
        for (Slot slot : slots.values()) {
            if (slot.state == State.BUSY && slot.side != null && slot.side.device.equals(device)) {
                slot.state = State.LOST;
            }
        }
    }

    /** Notes that a drive was removed, with all commands in its queues. */
    void gone(Bdf device) {
        reset(device);
        gone.add(device);
    }

    /** Notes that a drive accepts commands, so that it is present. */
    void enabled(Bdf device) {
        gone.remove(device);
    }

    /** Ends a copy: none of its commands may be in flight, and its slots are removed. */
    void end(Object copy) {
        slots.forEach((key, slot) -> {
            if (key.copy() == copy && slot.state == State.BUSY) {
                violation.accept("the copy is over, and there is a command for " + slot.words());
            }
        });
        slots.keySet().removeIf(key -> key.copy() == copy);
    }

    /**
     * Notes that a device has ended a Read with an error and will move its data later. The data may
     * arrive in a slot that has another command by then, but not in memory that was released.
     */
    void lateData(Bdf device) {
        late.add(device);
    }

    /** Stops allowing late data. */
    void forgetLateData() {
        late.clear();
    }

    /** Checks I/O data that reached memory, or was read from it. */
    void moved(Bdf device, long address, long bytes, boolean read) {
        Slot nearest = null;
        for (Slot slot : slots.values()) {
            if (address >= slot.address && address + bytes <= slot.address + slot.bytes) {
                if (slot.lets(device, read) || (!read && late.contains(device))) {
                    return;
                }
                boolean better = nearest == null || slot.side != null;
                nearest = better ? slot : nearest;
            }
        }
        violation.accept(
                nearest == null
                        ? "%s %s %d bytes at 0x%x, in no slot"
                                .formatted(device, word(read), bytes, address)
                        : "%s %s %s".formatted(device, word(read), nearest.words()));
    }

    private static String word(boolean read) {
        return read ? "reads" : "writes to";
    }
}
