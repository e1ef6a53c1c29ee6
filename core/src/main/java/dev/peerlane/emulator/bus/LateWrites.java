package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Posted writes to other functions' memory that get lost, arrive late or arrive twice. A late write
 * holds up later data writes, as on a single route; completions take another route.
 */
public final class LateWrites {
    private final EmulatedFunction function;
    private final Interconnect interconnect;
    private final AddressMap map;
    private final FaultPlan faults;
    private final ArrayDeque<Write> held = new ArrayDeque<>();
    private final List<Write> copies = new ArrayList<>();
    private long now;

    /** A write that is held back or repeated. */
    private record Write(long address, MemorySegment bytes, long dueNanos) {}

    /** Creates the late writes of one function, with none in flight. */
    public LateWrites(
            EmulatedFunction function,
            Interconnect interconnect,
            AddressMap map,
            FaultPlan faults) {
        this.function = function;
        this.interconnect = interconnect;
        this.map = map;
        this.faults = faults;
    }

    /**
     * Takes over a write if something is to happen to it. A longer write is split into packets as
     * on the bus, and each packet has its own fate.
     *
     * @return false if the caller has to do the write
     */
    public boolean intercept(
            long address, MemorySegment source, long offset, long bytes, DmaKind kind) {
        long most = interconnect.packetBytes();
        if (isQuiet(kind) || bytes <= most - address % most) {
            return interceptOne(address, source, offset, bytes, kind);
        }
        long n;
        for (long at = 0; at < bytes; at += n) {
            n = Math.min(most - (address + at) % most, bytes - at);
            if (!interceptOne(address + at, source, offset + at, n, kind)) {
                interconnect.write(function, address + at, source, offset + at, n, kind);
            }
        }
        return true;
    }

    private boolean isQuiet(DmaKind kind) {
        return kind != DmaKind.IO_DATA || (held.isEmpty() && !faults.has(Occasion.PEER_WRITE));
    }

    private boolean interceptOne(
            long address, MemorySegment source, long offset, long bytes, DmaKind kind) {
        if (isQuiet(kind)) {
            return false;
        }
        AddressMap.Range range = map.find(address, bytes);
        if (range == null || range.owner() == null) {
            return false;
        }
        long until = now;
        Fault fault = faults.next(Occasion.PEER_WRITE);
        if (fault != null) {
            switch (fault.kind()) {
                case DROPPED_WRITE -> {
                    return true;
                }
                case DUPLICATED_WRITE ->
                        copies.add(copy(address, source, offset, bytes, now + fault.nanos()));
                default -> until += fault.nanos();
            }
        }
        if (held.isEmpty() && until == now) {
            return false;
        }
        held.add(copy(address, source, offset, bytes, until));
        return true;
    }

    /**
     * Sends the writes that are due; returns when the next one is due, or {@link Long#MAX_VALUE}
     * for none.
     */
    public long step(long time) {
        now = time;
        while (!held.isEmpty() && held.element().dueNanos() <= time) {
            send(held.remove());
        }
        long next = held.isEmpty() ? Long.MAX_VALUE : held.element().dueNanos();
        for (int i = copies.size() - 1; i >= 0; i--) {
            if (copies.get(i).dueNanos() <= time) {
                send(copies.remove(i));
            } else {
                next = Math.min(next, copies.get(i).dueNanos());
            }
        }
        return next;
    }

    /** Sends everything that is held back, as a reset does. */
    public void drain() {
        while (!held.isEmpty()) {
            send(held.remove());
        }
        copies.forEach(this::send);
        copies.clear();
    }

    private static Write copy(
            long address, MemorySegment source, long offset, long bytes, long due) {
        byte[] kept = new byte[Math.toIntExact(bytes)];
        MemorySegment.copy(source, offset, MemorySegment.ofArray(kept), 0, bytes);
        return new Write(address, MemorySegment.ofArray(kept), due);
    }

    private void send(Write write) {
        interconnect.write(
                function,
                write.address(),
                write.bytes(),
                0,
                write.bytes().byteSize(),
                DmaKind.IO_DATA);
    }
}
