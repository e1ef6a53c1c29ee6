package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.PciTree;
import dev.peerlane.emulator.watch.PeerFlow;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.pci.RootComplex.Trust;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * DMA as packets in virtual time. The sender of a posted write never learns whether it got lost. A
 * read is answered by a completion. What happens to a packet is decided where and when it arrives,
 * not when it is sent.
 *
 * <p>A request that a switch sends straight to a peer bypasses the IOMMU; one that reaches the root
 * complex does not.
 */
public final class PacketInterconnect extends Interconnect {
    private static final int ROOM = 64;
    private static final String NO_MAPPING = "IOMMU: no mapping";
    private static final String NOT_FORWARDED = "the root complex does not forward it";

    /** Completion Timeout (PCIe 5.0, 2.8); the default range begins at 50 us. */
    private static final long COMPLETION_TIMEOUT_NANOS = 10_000_000;

    /** A request as it arrives. */
    private record Request(
            EmulatedFunction initiator,
            @Nullable Place place,
            PacketRoutes.Way way,
            long address,
            int bytes,
            DmaKind kind) {}

    /** A place in a BAR. */
    private record Place(EmulatedFunction owner, EmulatedFunction.BarSpace bar) {}

    private final AddressMap map;
    private final FabricModel model;
    private final PacketModel packets;
    private final Events events = new Events();
    private final PacketRoutes routes;
    private final FaultLog faults;
    private List<EmulatedFunction> functions = List.of();
    private final PeerFlows flows = new PeerFlows();
    private @Nullable HostAccess host;
    private long sent;

    /** Creates an interconnect. Call {@link #attach} before using it. */
    public PacketInterconnect(
            AddressMap map,
            FabricModel model,
            PacketModel packets,
            SplittableRandom random,
            FaultLog faults) {
        this.map = map;
        this.faults = faults;
        this.model = model;
        this.packets = packets;
        this.routes = new PacketRoutes(packets, events, random);
    }

    /** Sets the functions of the tree, and the clock. */
    public void attach(List<EmulatedFunction> all, BusTime time) {
        functions = all;
        host = new HostAccess(events, routes, time);
    }

    /** Returns the access path of the host's loads and stores. */
    public HostAccess host() {
        return Objects.requireNonNull(host);
    }

    /** Delivers the packets that are due; returns whether there were any. */
    public boolean advance(long now) {
        return events.advance(now);
    }

    /** Returns the time at which the next packet moves, or {@link Long#MAX_VALUE}. */
    public long nextNanos() {
        return events.next();
    }

    /** Sets where to write a line for each packet; null for nowhere. */
    public void trace(@Nullable Consumer<String> sink) {
        events.sink(sink);
    }

    /** Returns the number of packets sent so far. */
    public long sent() {
        return sent + host().sent();
    }

    /** Returns the flows between peers so far. */
    public Set<PeerFlow> flows() {
        return flows.all();
    }

    /** Returns how often one packet passed another. */
    public long passings() {
        return routes.passings();
    }

    /** Drops all packets in flight; they never arrive. */
    public void close() {
        events.clear();
    }

    @Override
    public boolean isImmediate() {
        return false;
    }

    @Override
    long packetBytes() {
        return packets.maxPayloadBytes();
    }

    @Override
    public boolean isHurried() {
        return false;
    }

    @Override
    public boolean movesRuns() {
        return false;
    }

    @Override
    public boolean isOnePlace(EmulatedFunction initiator, long address, long bytes) {
        return false;
    }

    @Override
    public AddressMap.@Nullable Range hostRange(long address, long bytes) {
        return null;
    }

    @Override
    public boolean hasRoom(EmulatedFunction initiator) {
        return routes.exit(initiator).waiting() < ROOM;
    }

    @Override
    public void forgetRoutes() {
        routes.forget();
    }

    @Override
    public int read(
            EmulatedFunction initiator,
            long address,
            MemorySegment target,
            long offset,
            long bytes,
            DmaKind kind,
            Reads reads) {
        Place place = resolve(address, bytes);
        count(initiator, place, kind, Direction.READ, bytes);
        boolean ats = hasAts(initiator);
        PacketRoutes.Way ways = way(initiator, place, sort(ats, address), Direction.READ);
        int life = reads.life();
        for (long at = 0; at < bytes; at += packets.maxPayloadBytes()) {
            int n = (int) Math.min(packets.maxPayloadBytes(), bytes - at);
            long from = address + at;
            PacketRoutes.Way way = ways.of(from, sort(ats, from));
            MemorySegment into = target.asSlice(offset + at, n);
            Consumer<@Nullable MemorySegment> answer =
                    data -> {
                        if (reads.life() != life) {
                            return;
                        }
                        if (data == null) {
                            into.fill((byte) -1);
                            boolean silent =
                                    model.unmapped() == FabricModel.Unmapped.DROPS_SILENTLY;
                            reads.answered(silent);
                        } else {
                            MemorySegment.copy(data, 0, into, 0, n);
                            reads.answered(true);
                        }
                    };
            reads.asked();
            Request request = new Request(initiator, place, way, from, n, kind);
            send(
                    new Packet(
                            Packet.Flow.NON_POSTED,
                            initiator,
                            attributes(false),
                            0,
                            from,
                            () -> complete(request, answer)),
                    way.hops());
        }
        return PENDING;
    }

    @Override
    public boolean write(
            EmulatedFunction initiator,
            long address,
            MemorySegment source,
            long offset,
            long bytes,
            DmaKind kind) {
        Place place = resolve(address, bytes);
        count(initiator, place, kind, Direction.WRITE, bytes);
        boolean ats = hasAts(initiator);
        // queue entries never have the attribute: only data may be late
        boolean relaxed =
                kind == DmaKind.IO_DATA && PciFunction.relaxedOrderingOf(initiator.config());
        PacketRoutes.Way ways = way(initiator, place, sort(ats, address), Direction.WRITE);
        for (long at = 0; at < bytes; at += packets.maxPayloadBytes()) {
            int n = (int) Math.min(packets.maxPayloadBytes(), bytes - at);
            long to = address + at;
            PacketRoutes.Way way = ways.of(to, sort(ats, to));
            MemorySegment payload = MemorySegment.ofArray(new long[(n + 7) / 8]);
            MemorySegment.copy(source, offset + at, payload, 0, n);
            Request request = new Request(initiator, place, way, to, n, kind);
            send(
                    new Packet(
                            Packet.Flow.POSTED,
                            initiator,
                            attributes(relaxed),
                            n,
                            to,
                            () -> land(request, payload)),
                    way.hops());
        }
        return true;
    }

    private void send(Packet packet, List<Hop> path) {
        sent++;
        packet.sendAlong(path);
    }

    /** Returns the attribute bits of a function's packets. */
    private int attributes(boolean relaxed) {
        return (relaxed ? Packet.RELAXED : 0) | (packets.idOrdering() ? Packet.ID_ORDERED : 0);
    }

    /** Returns the route of a request. */
    private PacketRoutes.Way way(
            EmulatedFunction initiator,
            @Nullable Place place,
            PacketRoutes.Sort sort,
            Direction direction) {
        if (place == null || place.owner() == initiator) {
            return routes.toMemory(initiator, sort);
        }
        PacketRoutes.Way way = routes.between(initiator, place.owner(), sort);
        flows.count(initiator, place.owner(), direction, way.throughRoot());
        return way.throughRoot() && !forwards(direction)
                ? new PacketRoutes.Way(routes.toHost(initiator), true, NOT_FORWARDED, way.second())
                : way;
    }

    /**
     * Returns how ports see a request. With Address Translation Services, a function asks for the
     * translation first and sends the translated address.
     */
    private PacketRoutes.Sort sort(boolean ats, long address) {
        return ats && map.find(address, 1) != null
                ? PacketRoutes.Sort.TRANSLATED_REQUEST
                : PacketRoutes.Sort.REQUEST;
    }

    private static boolean hasAts(EmulatedFunction initiator) {
        return Boolean.TRUE.equals(PciDetails.atsOf(initiator.config()));
    }

    private boolean forwards(Direction direction) {
        RootComplex complex = model.rootComplex();
        Trust trust = direction == Direction.READ ? complex.peerReads() : complex.peerWrites();
        boolean able =
                switch (packets.forwarding()) {
                    case FULL, SLOW -> true;
                    case WRITES -> direction == Direction.WRITE;
                    case NONE -> false;
                };
        return able && trust != Trust.REFUSED;
    }

    /** Delivers a posted write at its destination. */
    private void land(Request request, MemorySegment payload) {
        EmulatedFunction initiator = request.initiator();
        Place place = request.place();
        long address = request.address();
        int bytes = request.bytes();
        DmaKind kind = request.kind();
        String why = refusal(request);
        if (!why.isEmpty()) {
            lost(initiator, address, bytes, Direction.WRITE, why);
            return;
        }
        if (place != null && model.peerWrites() == FabricModel.PeerWrites.VANISH) {
            return;
        }
        moved(
                initiator,
                place == null ? null : place.owner(),
                address,
                bytes,
                Direction.WRITE,
                kind);
        if (place != null) {
            long at = address - place.owner().barAddress(place.bar());
            store(place.owner(), place.bar(), memory(place), at, payload, 0, bytes, kind);
        } else {
            AddressMap.Range range = Objects.requireNonNull(map.find(address, bytes));
            long at = range.memoryOffset() + (address - range.base());
            store(range.memory(), at, payload, 0, bytes, kind);
        }
    }

    private void lost(
            EmulatedFunction initiator, long address, int bytes, Direction direction, String why) {
        faults.add(initiator, address, bytes, direction, why);
        String what = direction.word();
        events.trace("%s of %s at 0x%x is lost: %s".formatted(what, initiator.bdf(), address, why));
    }

    /** Delivers a read at its destination, which answers with a completion. */
    private void complete(Request request, Consumer<@Nullable MemorySegment> answer) {
        EmulatedFunction initiator = request.initiator();
        Place place = request.place();
        long address = request.address();
        int bytes = request.bytes();
        DmaKind kind = request.kind();
        MemorySegment data = null;
        PacketRoutes.Way back = routes.fromMemory(initiator);
        String why = refusal(request);
        if (why.isEmpty()) {
            moved(
                    initiator,
                    place == null ? null : place.owner(),
                    address,
                    bytes,
                    Direction.READ,
                    kind);
        }
        if (!why.isEmpty()) {
            lost(initiator, address, bytes, Direction.READ, why);
        } else if (place != null) {
            PacketRoutes.Sort sort = PacketRoutes.Sort.COMPLETION;
            back = routes.between(place.owner(), initiator, sort).of(address, sort);
            if (back.throughRoot() && !forwards(Direction.READ)) {
                back = new PacketRoutes.Way(back.hops(), true, NOT_FORWARDED, null);
            }
            long at = address - place.owner().barAddress(place.bar());
            data = peerData(memory(place), at, bytes);
        } else {
            AddressMap.Range range = Objects.requireNonNull(map.find(address, bytes));
            long at = range.memoryOffset() + (address - range.base());
            data = MemorySegment.ofArray(new long[(bytes + 7) / 8]);
            MemorySegment.copy(range.memory(), at, data, 0, bytes);
        }
        MemorySegment found = data;
        String stopped = back.stopped();
        Runnable delivery = () -> answer.accept(found);
        if (back.isStopped()) {
            delivery =
                    () -> {
                        lost(
                                initiator,
                                address,
                                bytes,
                                Direction.READ,
                                "its completion, " + stopped);
                        events.at(
                                events.now() + COMPLETION_TIMEOUT_NANOS, () -> answer.accept(null));
                    };
        }
        Packet completion =
                new Packet(
                        Packet.Flow.COMPLETION,
                        initiator,
                        attributes(false),
                        found == null ? 0 : bytes,
                        address,
                        delivery);
        completion.sendAlong(back.hops());
    }

    /** Returns why a request is refused where it has arrived; empty if it is not. */
    private String refusal(Request request) {
        PacketRoutes.Way way = request.way();
        Place place = request.place();
        long address = request.address();
        int bytes = request.bytes();
        if (way.isStopped()) {
            return way.stopped();
        }
        AddressMap.Range range = map.find(address, bytes);
        if (place == null || place.owner() == request.initiator()) {
            return range != null && range.owner() == null ? "" : NO_MAPPING;
        }
        long inBar = address - place.owner().barAddress(place.bar());
        if (!place.owner().decodes() || inBar < 0 || inBar > place.bar().sizeBytes() - bytes) {
            return place.owner().bdf() + " does not decode the address";
        }
        boolean translated = !way.throughRoot() || !model.iommu();
        return translated || (range != null && range.owner() == place.owner()) ? "" : NO_MAPPING;
    }

    private static MemorySegment memory(Place place) {
        return Objects.requireNonNull(place.bar().memory());
    }

    private MemorySegment peerData(MemorySegment memory, long at, int bytes) {
        MemorySegment data = MemorySegment.ofArray(new long[(bytes + 7) / 8]);
        switch (model.peerReads()) {
            case NORMAL -> MemorySegment.copy(memory, at, data, 0, bytes);
            case ONES -> data.fill((byte) -1);
            case ZEROES -> data.fill((byte) 0);
            case OTHER_MEMORY -> {
                long size = memory.byteSize();
                long elsewhere = Math.min((at + size / 2) % size, size - bytes);
                MemorySegment.copy(memory, elsewhere, data, 0, bytes);
            }
        }
        return data;
    }

    /** Returns the BAR that decodes an address, by the registers of the tree; null for none. */
    private @Nullable Place resolve(long address, long bytes) {
        if (address < PciTree.HOST_LIMIT) {
            return null;
        }
        for (EmulatedFunction function : functions) {
            for (EmulatedFunction.BarSpace bar : function.bars()) {
                long offset = address - function.barAddress(bar);
                if (bar.memory() != null
                        && offset >= bar.registerBytes()
                        && offset <= bar.sizeBytes() - bytes) {
                    return new Place(function, bar);
                }
            }
        }
        return null;
    }

    private static void count(
            EmulatedFunction initiator,
            @Nullable Place place,
            DmaKind kind,
            Direction direction,
            long bytes) {
        if (place == null) {
            initiator.traffic().host(kind, direction, bytes);
        } else {
            initiator.traffic().peer(direction, bytes);
        }
    }
}
