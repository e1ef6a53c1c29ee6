package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A fabric that moves transaction layer packets (PCIe 5.0, chapter 2): posted writes, non-posted
 * reads and completions, over links with time, bandwidth and credits.
 *
 * @param maxPayloadBytes longest payload of a packet, and longest read: a power of two, 128 to 4096
 * @param link what links are like
 * @param links links that differ, by the drive at the lower end or the address of the port at the
 *     upper one ({@code 0000:00:01.0})
 * @param forwarding what the root complex does with traffic between drives
 * @param forwardingNanos how long the root complex takes to turn such a packet round
 * @param reorder whether ports let packets pass others wherever the ordering rules allow it; else
 *     only where they must
 * @param idOrdering whether drives ask for ID-based ordering
 * @param hostStoreNanos how long a host's store waits at most before it leaves the processor; each
 *     drive's stores stay in order
 * @param secondWays ways between two drives beside the tree's
 * @param ats names of the drives that have Address Translation Services on: their requests carry
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

    /** Which packets take a second way. */
    public enum Takes {
        /** Each packet takes one of the two, by chance. */
        ANY,
        /** Those for every other page of 4 KiB. */
        PAGES,
        /** Completions; requests stay in the tree. */
        COMPLETIONS
    }

    /**
     * A way between two drives beside the tree's, both directions alike, as non-transparent bridges
     * and fabrics of several switches have them: from the link of one to the link of the other,
     * past the root complex, its IOMMU, and ACS. Nothing keeps packets of two ways in order.
     *
     * @param one a drive
     * @param other another one
     * @param takes which packets take it
     * @param link what it is like
     */
    public record SecondWay(String one, String other, Takes takes, Link link) {
        /** Checks that it has two ends. */
        public SecondWay {
            if (one.equals(other)) {
                throw bad("second way from '" + one + "' to itself", "Name two drives");
            }
        }

        public boolean isBetween(String a, String b) {
            return (one.equals(a) && other.equals(b)) || (one.equals(b) && other.equals(a));
        }

        /** Returns whether writes of one drive to the other take now one way and now another. */
        public boolean splitsWrites() {
            return takes != Takes.COMPLETIONS;
        }
    }

    /** What a root complex does with requests from one drive to another. */
    public enum Forwarding {
        /** Forwards all of them. */
        FULL,
        /** Forwards writes; reads end as Unsupported Request. */
        WRITES,
        /** Forwards all of them at a fiftieth of the bandwidth. */
        SLOW,
        /** Writes vanish; reads end as Unsupported Request. */
        NONE
    }

    /**
     * One link, both directions alike.
     *
     * @param latencyNanos from the last byte sent to its arrival; at random up to a quarter more
     * @param bytesPerSecond headers included
     * @param credits how many packets of each kind (posted, non-posted, completion) the receiver
     *     has room for
     */
    public record Link(long latencyNanos, long bytesPerSecond, int credits) {
        private static final long MAX_NANOS = 1_000_000_000L;

        /** Checks that it can carry anything. */
        public Link {
            if (latencyNanos < 0 || latencyNanos > MAX_NANOS) {
                throw bad("latency of " + latencyNanos + " ns", "Take 0 to 1000000000");
            }
            if (bytesPerSecond < 1000) {
                throw bad("bandwidth of " + bytesPerSecond + " B/s", "Take 1000 or more");
            }
            if (credits < 1 || credits > 4096) {
                throw bad("number of credits of " + credits, "Take 1 to 4096");
            }
        }
    }

    /** 256 bytes of payload, links of 150 ns, 4 GB/s and 32 credits, everything forwarded. */
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

    /** Checks the sizes and keeps its own copy of the links. */
    public PacketModel {
        // sorted, so that every process tells them in the same order
        links = Collections.unmodifiableMap(new TreeMap<>(links));
        secondWays = List.copyOf(secondWays);
        ats = Collections.unmodifiableSet(new TreeSet<>(ats));
        if (maxPayloadBytes < 128
                || maxPayloadBytes > 4096
                || Integer.bitCount(maxPayloadBytes) != 1) {
            throw bad("payload of " + maxPayloadBytes + " bytes", "Take 128, 256, 512 ... 4096");
        }
        if (forwardingNanos < 0 || hostStoreNanos < 0) {
            throw bad("time below 0", "Take 0 or more");
        }
    }

    /** Returns it with another maximum payload. */
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

    /** Returns it with other links. */
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

    /** Returns it with another behaviour of the root complex. */
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

    /** Returns it with other liberties in the order of packets. */
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

    /** Returns it with another longest wait of the host's stores. */
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

    /** Returns it with other ways beside the tree. */
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

    /** Returns it with other drives that have Address Translation Services on. */
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
