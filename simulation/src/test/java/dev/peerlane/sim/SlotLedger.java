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
 * Who owns which slot, from the commands that go through the ports of all copies that run: a slot
 * has one command at a time, slots that overlap have one between them, and I/O data moves only
 * between a slot and the device whose command owns it. The data of a Read may arrive after its
 * completion or after its port was stopped, but not once the slot has another command, nor when the
 * copy is over.
 */
final class SlotLedger {
    /** What a command does with its slot. */
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
         * Makes one.
         *
         * @param copy by which its ports know each other: their slots have the same numbers
         * @param device whose commands it sends
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

        /** Whether data may move between this slot and a device now. */
        boolean lets(Bdf initiator, boolean read) {
            if (side == null || !initiator.equals(side.device) || read == (use == Use.READ)) {
                return false;
            }
            // what a stopped port fetches is thrown away, and what is on its way to a slot may come
            // as long as the copy keeps its memory
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

    /** Slots were attached to a port; each port of a copy attaches the same ones. */
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

    /** A command for a slot was posted. */
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
        // a drive that has gone never learns of it, so it is over before it began
        slot.state = gone.contains(side.device) ? State.LOST : State.BUSY;
        slot.side = side;
        slot.use = use;
    }

    /** A command for a slot completed. */
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

    /** A port says that none of its commands can touch a slot any more. */
    void stopped(Side side) {
        for (Slot slot : slots.values()) {
            if (slot.side == side) {
                slot.state = State.STOPPED;
            }
        }
    }

    /** A controller has lost its queues, and all commands in them. */
    void reset(Bdf device) {
        for (Slot slot : slots.values()) {
            if (slot.state == State.BUSY && slot.side != null && slot.side.device.equals(device)) {
                slot.state = State.LOST;
            }
        }
    }

    /** A drive was pulled out, with all commands in its queues. */
    void gone(Bdf device) {
        reset(device);
        gone.add(device);
    }

    /** A drive takes commands, so it is there. */
    void enabled(Bdf device) {
        gone.remove(device);
    }

    /** A copy is over: nothing of it may be under way, and its slots are gone. */
    void end(Object copy) {
        slots.forEach((key, slot) -> {
            if (key.copy() == copy && slot.state == State.BUSY) {
                violation.accept("the copy is over, and there is a command for " + slot.words());
            }
        });
        slots.keySet().removeIf(key -> key.copy() == copy);
    }

    /**
     * A device has ended a Read with an error and moves its data all the same, later: into a slot
     * that by then may have another command, but not into memory that was given back.
     */
    void lateData(Bdf device) {
        late.add(device);
    }

    /** Nothing comes late any more. */
    void forgetLateData() {
        late.clear();
    }

    /** I/O data reached memory, or was read from there. */
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
