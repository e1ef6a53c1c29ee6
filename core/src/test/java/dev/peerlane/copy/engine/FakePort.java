package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A port for the engine's tests, whose device a test controls. */
public final class FakePort extends BlockPort {
    public static final int RETRYABLE = 1;
    public static final int FATAL = 2;
    public static final int MISCOMPARE = 3;
    private static final byte GARBAGE = (byte) 0xa5;

    /** The kinds of commands. */
    public enum Op {
        READ,
        WRITE,
        COMPARE,
        FLUSH
    }

    public record Command(Op op, int slot, long lba, int blocks, long since) {}

    private record Slot(PeerBuffer buffer, long offset, int bytes) {}

    private record Packet(MemorySegment to, long offset, MemorySegment data) {}

    private record Ended(int slot, int status) {}

    public final FakeWorld world;
    public final Bdf bdf;
    public final byte[] medium;
    public final List<String> log = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();
    private final List<Command> posted = new ArrayList<>();
    private final List<Command> running = new ArrayList<>();
    private final Deque<Ended> ended = new ArrayDeque<>();
    private final Deque<Packet> inTransit = new ArrayDeque<>();
    private final Map<Op, Deque<Integer>> statuses = new HashMap<>();
    private final PortLimits limits;

    public boolean failsToClose;

    /** The number of turns by which data posted to a peer may arrive after its completion. */
    public int lateness;

    /** The shortest time of a command; any number of commands can wait at once. */
    public long latencyNanos;

    public boolean losesPeerWrites;
    public boolean losesHostWrites;
    public boolean peerReadsAreOnes;

    /** The offset in a peer's memory from which on its reads return ones. */
    public long peerReadsEndAt = Long.MAX_VALUE;

    /** Bytes of the medium from here on never arrive in any memory but the device's own. */
    public int losesFrom = -1;

    public int losesBytes = 64;

    /** The first of 8 bytes of memory that no peer's write reaches. */
    public int holeFrom = -1;

    /** Whether every Compare reports that nothing differs. */
    public boolean comparesSucceed;

    /** Whether an abort ends the command, according to its completion. */
    public boolean abortEnds;

    /** Whether the port can't be stopped. */
    public boolean cannotBeStopped;

    public Op stuck;

    /** How many of the next commands the queue rejects. */
    public int fullFor;

    /** A block that can't be read. */
    public long badBlock = -1;

    /** The condition that a health check finds. */
    public PeerlaneException sick;

    /** The number of polls after which its registers can't be accessed any more. */
    public int unreachableAfter = Integer.MAX_VALUE;

    /** Runs when the port is stopped. */
    public Runnable atQuiesce = () -> {};

    private int polls;
    public boolean quiesced;
    public int maxInFlight;
    public int inFlight;

    public FakePort(
            FakeWorld world, Bdf bdf, int blockBytes, int mediumBytes, int maxTransferBytes) {
        this.world = world;
        this.bdf = bdf;
        medium = new byte[mediumBytes];
        limits =
                new PortLimits(
                        blockBytes,
                        mediumBytes / blockBytes,
                        maxTransferBytes,
                        16,
                        4096,
                        true,
                        true,
                        null);
        world.ports.add(this);
    }

    /** Lets the next commands of a kind end with these statuses, and later ones with success. */
    public FakePort ends(Op op, Integer... with) {
        statuses.computeIfAbsent(op, o -> new ArrayDeque<>()).addAll(Arrays.asList(with));
        return this;
    }

    @Override
    public String name() {
        return "fake:" + bdf;
    }

    @Override
    public PortLimits limits() {
        return limits;
    }

    @Override
    public int attach(PeerBuffer buffer, long offset, int slotBytes, int stride, int count) {
        int first = slots.size();
        for (int i = 0; i < count; i++) {
            slots.add(new Slot(buffer, offset + (long) i * stride, slotBytes));
        }
        return first;
    }

    private boolean submit(Op op, int slot, long lba, int blocks) {
        if (inFlight == limits.depth()) {
            return false;
        }
        if (fullFor > 0) {
            fullFor--;
            return false;
        }
        if (slot >= 0) {
            for (Command c : running) {
                if (c.slot() == slot) {
                    throw new AssertionError("slot " + slot + " has two commands in flight");
                }
            }
            if (blocks < 1 || (long) blocks * limits.blockBytes() > slots.get(slot).bytes()) {
                throw new AssertionError(blocks + " blocks do not fit slot " + slot);
            }
        }
        posted.add(new Command(op, slot, lba, blocks, world.nanos));
        inFlight++;
        maxInFlight = Math.max(maxInFlight, inFlight);
        return true;
    }

    @Override
    public boolean submitRead(int slot, long lba, int blocks) {
        return submit(Op.READ, slot, lba, blocks);
    }

    @Override
    public boolean submitWrite(int slot, long lba, int blocks) {
        return submit(Op.WRITE, slot, lba, blocks);
    }

    @Override
    public boolean submitCompare(int slot, long lba, int blocks) {
        return submit(Op.COMPARE, slot, lba, blocks);
    }

    @Override
    public boolean submitFlush() {
        return submit(Op.FLUSH, NO_SLOT, 0, 0);
    }

    @Override
    public void ring() {
        running.addAll(posted);
        posted.clear();
    }

    @Override
    public int poll(int max, Completions completions) {
        if (++polls > unreachableAfter) {
            throw new InternalError("a fault occurred in an unsafe memory access operation");
        }
        int taken = 0;
        while (taken < max && !ended.isEmpty()) {
            Ended e = ended.remove();
            inFlight--;
            taken++;
            completions.completed(e.slot(), e.status());
        }
        return taken;
    }

    /** Delivers all data in flight. */
    public void arriveAll() {
        while (!inTransit.isEmpty()) {
            arrive();
        }
    }

    private void arrive() {
        Packet p = inTransit.remove();
        byte[] kept = {};
        if (holeFrom >= 0) {
            kept = p.to().asSlice(holeFrom, 8).toArray(ValueLayout.JAVA_BYTE);
        }
        MemorySegment.copy(p.data(), 0, p.to(), p.offset(), p.data().byteSize());
        if (holeFrom >= 0) {
            MemorySegment.copy(kept, 0, p.to(), ValueLayout.JAVA_BYTE, holeFrom, kept.length);
        }
    }

    /** Runs one turn of the device: a packet may arrive, a random command may run. */
    public void step() {
        if (!inTransit.isEmpty() && (lateness == 0 || world.random.nextInt(lateness) == 0)) {
            arrive();
        }
        for (int i = 0; i < 4 && !running.isEmpty(); i++) {
            Command c = running.get(world.random.nextInt(running.size()));
            if (c.op() != stuck && world.nanos - c.since() >= latencyNanos) {
                end(c);
            }
        }
    }

    private void end(Command c) {
        running.remove(c);
        log.add(c.op() + " " + c.lba() + "+" + c.blocks());
        Deque<Integer> planned = statuses.getOrDefault(c.op(), new ArrayDeque<>());
        int status = planned.isEmpty() ? execute(c) : planned.remove();
        if (status != 0 && c.op() == Op.READ) {
            // what a failed Read leaves behind is undefined
            memory(slots.get(c.slot()))
                    .asSlice(slots.get(c.slot()).offset(), (long) c.blocks() * limits.blockBytes())
                    .fill(GARBAGE);
        }
        ended.add(new Ended(c.slot(), status));
    }

    private int execute(Command c) {
        if (c.op() == Op.FLUSH) {
            return 0;
        }
        Slot slot = slots.get(c.slot());
        int at = (int) (c.lba() * limits.blockBytes());
        int length = c.blocks() * limits.blockBytes();
        boolean peer = slot.buffer() instanceof FakeMemory.Piece;
        if (c.op() == Op.READ) {
            if (c.lba() <= badBlock && badBlock < c.lba() + c.blocks()) {
                return FATAL;
            }
            MemorySegment data = MemorySegment.ofArray(Arrays.copyOfRange(medium, at, at + length));
            Packet packet = new Packet(memory(slot), slot.offset(), data);
            boolean own = peer && slot.buffer().owner().equals(name());
            if (!peer && losesHostWrites) {
                return 0;
            }
            if (!peer && losesFrom >= 0) {
                send(packet, at, length);
                arriveAll();
                return 0;
            }
            if (!peer || own) {
                MemorySegment.copy(data, 0, packet.to(), packet.offset(), length);
            } else if (!losesPeerWrites) {
                send(packet, at, length);
            }
            return 0;
        }
        byte[] data = memory(slot).asSlice(slot.offset(), length).toArray(ValueLayout.JAVA_BYTE);
        if (peerReadsAreOnes && peer && !slot.buffer().owner().equals(name())) {
            Arrays.fill(data, (byte) 0xff);
        }
        long good = Math.max(0, peerReadsEndAt - slot.offset());
        if (peer && good < length) {
            Arrays.fill(data, (int) good, length, (byte) 0xff);
        }
        if (c.op() == Op.COMPARE) {
            boolean equal = Arrays.equals(data, 0, length, medium, at, at + length);
            return equal || comparesSucceed ? 0 : MISCOMPARE;
        }
        System.arraycopy(data, 0, medium, at, length);
        return 0;
    }

    private void send(Packet packet, int at, int length) {
        int lost = losesFrom - at;
        if (losesFrom < 0 || lost < 0 || lost >= length) {
            inTransit.add(packet);
            return;
        }
        int rest = lost + losesBytes;
        inTransit.add(new Packet(packet.to(), packet.offset(), packet.data().asSlice(0, lost)));
        inTransit.add(new Packet(packet.to(), packet.offset() + rest, packet.data().asSlice(rest)));
    }

    private static MemorySegment memory(Slot slot) {
        return slot.buffer() instanceof FakeMemory.Piece piece
                ? piece.bytesOf()
                : ((HostMemory.HostBuffer) slot.buffer()).segment();
    }

    @Override
    public int inFlight() {
        return inFlight;
    }

    @Override
    public String abort(int slot) {
        log.add("ABORT " + slot);
        if (abortEnds && running.removeIf(c -> c.slot() == slot)) {
            ended.add(new Ended(slot, FATAL));
        }
        return "not aborted";
    }

    @Override
    public void quiesce() {
        if (cannotBeStopped) {
            throw PeerlaneException.io("controller-stuck", name() + " goes on", "none");
        }
        atQuiesce.run();
        quiesced = true;
        running.clear();
        posted.clear();
        ended.clear();
        inFlight = 0;
    }

    @Override
    public boolean mayRetry(int status) {
        return status == RETRYABLE;
    }

    @Override
    public boolean isMiscompare(int status) {
        return status == MISCOMPARE;
    }

    @Override
    public String condition() {
        return unreachableAfter == Integer.MAX_VALUE ? READY : "does not answer";
    }

    @Override
    public void checkHealth() {
        if (sick != null) {
            throw sick;
        }
    }

    @Override
    public String describe(int status) {
        return "status " + status;
    }

    @Override
    public void close() {
        log.add("close");
        if (failsToClose) {
            throw new IllegalStateException("does not close");
        }
    }
}
