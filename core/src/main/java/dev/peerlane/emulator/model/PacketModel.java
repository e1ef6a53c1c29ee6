package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How a fabric moves transaction layer packets (PCIe 5.0, chapter 2): posted writes, non-posted
 * reads and completions, over links with latency, bandwidth and credits.
 *
 * @param maxPayloadBytes longest payload of a packet, and longest read: a power of two, 128 to 4096
 * @param link the properties of links
 * @param links links that differ, keyed by the drive at the lower end or the address of the port at
 *     the upper one ({@code 0000:00:01.0})
 * @param forwarding what the root complex does with traffic between drives
 * @param forwardingNanos time that the root complex takes to forward such a packet
 * @param reorder whether ports let packets pass others whenever the ordering rules allow it, or
 *     only when they require it
 * @param idOrdering whether drives request ID-based ordering
 * @param hostStoreNanos longest time that a host's store waits before it leaves the processor; the
 *     stores to a drive stay in order
 * @param secondWays second routes between two drives, besides that of the tree
 * @param ats names of the drives with Address Translation Services on: their requests carry
 *     addresses that the IOMMU has translated before
 */
public record PacketModel(
        int maxPayloadBytes,
        Link link,
        Map<String, Link> links,
        Forwarding forwarding,
        long forwardingNanos,
        boolean reorder,
        boolean idOrdering,
        long hostStoreNanos,
        List<SecondWay> secondWays,
        Set<String> ats) {

    /** Which packets take a second route. */
    public enum Takes {
        /** Each packet takes either route, at random. */
        ANY,
        /** Packets for every other page of 4 KiB. */
        PAGES,
        /** Completions; requests take the route of the tree. */
        COMPLETIONS
    }

    /**
     * A second route between two drives, the same in both directions, as in fabrics with
     * non-transparent bridges or several switches. It goes from the link of one drive to the link
     * of the other, and bypasses the root complex, its IOMMU, and ACS. Packets on different routes
     * are not ordered.
     *
     * @param one a drive
     * @param other another drive
     * @param takes which packets take this route
     * @param link the properties of the route
     */
    public record SecondWay(String one, String other, Takes takes, Link link) {
        /** Checks that the two drives differ. */
        public SecondWay {
            if (one.equals(other)) {
                throw bad("second way from '" + one + "' to itself", "Name two drives");
            }
        }

        public boolean isBetween(String a, String b) {
            return (one.equals(a) && other.equals(b)) || (one.equals(b) && other.equals(a));
        }

        /**
         * Returns whether successive writes of one drive to the other can take different routes.
         */
        public boolean splitsWrites() {
            return takes != Takes.COMPLETIONS;
        }
    }

    /** What a root complex does with requests from one drive to another. */
    public enum Forwarding {
        /** Forwards all requests. */
        FULL,
        /** Forwards writes; reads end as Unsupported Request. */
        WRITES,
        /** Forwards all requests at a fiftieth of the bandwidth. */
        SLOW,
        /** Forwards nothing: writes vanish, and reads end as Unsupported Request. */
        NONE
    }

    /**
     * A link, the same in both directions.
     *
     * @param latencyNanos time from sending the last byte to its arrival; up to a quarter is added
     *     at random
     * @param bytesPerSecond bandwidth, headers included
     * @param credits how many packets of each kind (posted, non-posted, completion) the receiver
     *     has room for
     */
    public record Link(long latencyNanos, long bytesPerSecond, int credits) {
        private static final long MAX_NANOS = 1_000_000_000L;

        /** Checks the ranges. */
        public Link {
            if (latencyNanos < 0 || latencyNanos > MAX_NANOS) {
                throw bad("latency of " + latencyNanos + " ns", "Use 0 to 1000000000");
            }
            if (bytesPerSecond < 1000) {
                throw bad("bandwidth of " + bytesPerSecond + " B/s", "Use 1000 or more");
            }
            if (credits < 1 || credits > 4096) {
                throw bad("number of credits of " + credits, "Use 1 to 4096");
            }
        }
    }

    /** Payloads of 256 bytes, links with 150 ns, 4 GB/s and 32 credits; everything is forwarded. */
    public static final PacketModel DEFAULTS =
            new PacketModel(
                    256,
                    new Link(150, 4_000_000_000L, 32),
                    Map.of(),
                    Forwarding.FULL,
                    500,
                    true,
                    false,
                    0,
                    List.of(),
                    Set.of());

    /** Checks the ranges and copies the collections. */
    public PacketModel {
        // sorted, so that every process lists them in the same order
        links = Collections.unmodifiableMap(new TreeMap<>(links));
        secondWays = List.copyOf(secondWays);
        ats = Collections.unmodifiableSet(new TreeSet<>(ats));
        if (maxPayloadBytes < 128
                || maxPayloadBytes > 4096
                || Integer.bitCount(maxPayloadBytes) != 1) {
            throw bad("payload of " + maxPayloadBytes + " bytes", "Use 128, 256, 512 ... 4096");
        }
        if (forwardingNanos < 0 || hostStoreNanos < 0) {
            throw bad("time below 0", "Use 0 or more");
        }
    }

    /** Returns this model with another maximum payload. */
    public PacketModel withMaxPayloadBytes(int bytes) {
        return new PacketModel(
                bytes,
                link,
                links,
                forwarding,
                forwardingNanos,
                reorder,
                idOrdering,
                hostStoreNanos,
                secondWays,
                ats);
    }

    /** Returns this model with other links. */
    public PacketModel withLinks(Link every, Map<String, Link> others) {
        return new PacketModel(
                maxPayloadBytes,
                every,
                others,
                forwarding,
                forwardingNanos,
                reorder,
                idOrdering,
                hostStoreNanos,
                secondWays,
                ats);
    }

    /** Returns this model with another behaviour of the root complex. */
    public PacketModel withForwarding(Forwarding what, long nanos) {
        return new PacketModel(
                maxPayloadBytes,
                link,
                links,
                what,
                nanos,
                reorder,
                idOrdering,
                hostStoreNanos,
                secondWays,
                ats);
    }

    /** Returns this model with other ordering of packets. */
    public PacketModel withOrdering(boolean passing, boolean byId) {
        return new PacketModel(
                maxPayloadBytes,
                link,
                links,
                forwarding,
                forwardingNanos,
                passing,
                byId,
                hostStoreNanos,
                secondWays,
                ats);
    }

    /** Returns this model with another longest wait of the host's stores. */
    public PacketModel withHostStoreNanos(long nanos) {
        return new PacketModel(
                maxPayloadBytes,
                link,
                links,
                forwarding,
                forwardingNanos,
                reorder,
                idOrdering,
                nanos,
                secondWays,
                ats);
    }

    /** Returns this model with other second routes. */
    public PacketModel withSecondWays(List<SecondWay> ways) {
        return new PacketModel(
                maxPayloadBytes,
                link,
                links,
                forwarding,
                forwardingNanos,
                reorder,
                idOrdering,
                hostStoreNanos,
                ways,
                ats);
    }

    /** Returns this model with other drives that have Address Translation Services on. */
    public PacketModel withAts(Set<String> drives) {
        return new PacketModel(
                maxPayloadBytes,
                link,
                links,
                forwarding,
                forwardingNanos,
                reorder,
                idOrdering,
                hostStoreNanos,
                secondWays,
                drives);
    }

    private static PeerlaneException bad(String what, String remedy) {
        return PeerlaneException.request("bad-fabric", "a packet fabric has a " + what, remedy);
    }
}
