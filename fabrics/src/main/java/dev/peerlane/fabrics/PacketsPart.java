package dev.peerlane.fabrics;

import dev.peerlane.emulator.model.PacketModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads how packets move in an emulated fabric: {@code fabric}, {@code packets}, {@code links}. */
final class PacketsPart {
    private static final long MAX_NANOS = 1_000_000_000L;

    private enum Kind {
        FAST,
        PACKETS
    }

    private PacketsPart() {}

    /** Returns the packet model that the file describes, or null if it describes none. */
    static @Nullable PacketModel read(YamlReader yaml) {
        if (yaml.choice("fabric", Kind.FAST) == Kind.FAST) {
            for (String key : new String[] {"packets", "links", "secondWays"}) {
                if (yaml.has(key)) {
                    throw yaml.error(
                            "'" + key + "' is given, but the fabric has no packets",
                            "Write 'fabric: packets', or leave it out");
                }
            }
            return null;
        }
        YamlReader packets = yaml.mapping("packets");
        PacketModel.Link link = PacketModel.DEFAULTS.link();
        PacketModel model = PacketModel.DEFAULTS;
        if (packets != null) {
            packets.allow(
                    "maxPayload",
                    "latencyNanos",
                    "bytesPerSecond",
                    "credits",
                    "forwarding",
                    "forwardingNanos",
                    "reorder",
                    "idOrdering",
                    "hostStoreNanos",
                    "ats");
            link = packets.located(reader -> link(reader, PacketModel.DEFAULTS.link()));
            model = packets.located(PacketsPart::packets);
        }
        return model.withLinks(link, links(yaml, link)).withSecondWays(secondWays(yaml, link));
    }

    private static PacketModel packets(YamlReader yaml) {
        PacketModel d = PacketModel.DEFAULTS;
        return d.withMaxPayloadBytes(yaml.integer("maxPayload", d.maxPayloadBytes()))
                .withForwarding(
                        yaml.choice("forwarding", d.forwarding()),
                        yaml.number("forwardingNanos", d.forwardingNanos(), 0, MAX_NANOS))
                .withOrdering(
                        yaml.bool("reorder", d.reorder()), yaml.bool("idOrdering", d.idOrdering()))
                .withHostStoreNanos(yaml.number("hostStoreNanos", d.hostStoreNanos(), 0, MAX_NANOS))
                .withAts(yaml.has("ats") ? Set.copyOf(yaml.texts("ats")) : Set.of());
    }

    private static Map<String, PacketModel.Link> links(YamlReader yaml, PacketModel.Link every) {
        Map<String, PacketModel.Link> links = new LinkedHashMap<>();
        for (YamlReader one : yaml.mappings("links")) {
            one.allow("at", "latencyNanos", "bytesPerSecond", "credits");
            String at = one.text("at");
            if (links.put(at, one.located(reader -> link(reader, every))) != null) {
                throw one.wrong("at", at, "List each link once");
            }
        }
        return links;
    }

    private static List<PacketModel.SecondWay> secondWays(YamlReader yaml, PacketModel.Link every) {
        List<PacketModel.SecondWay> ways = new ArrayList<>();
        for (YamlReader one : yaml.mappings("secondWays")) {
            one.allow("between", "takes", "latencyNanos", "bytesPerSecond", "credits");
            List<String> ends = one.texts("between");
            if (ends.size() != 2) {
                throw one.wrong("between", ends.toString(), "Name two drives, such as [a, b]");
            }
            ways.add(
                    one.located(reader ->
                            new PacketModel.SecondWay(
                                    ends.getFirst(),
                                    ends.getLast(),
                                    reader.choice("takes", PacketModel.Takes.ANY),
                                    link(reader, every))));
        }
        return ways;
    }

    private static PacketModel.Link link(YamlReader yaml, PacketModel.Link every) {
        return new PacketModel.Link(
                yaml.number("latencyNanos", every.latencyNanos(), 0, MAX_NANOS),
                yaml.size("bytesPerSecond", every.bytesPerSecond()),
                yaml.integer("credits", every.credits()));
    }
}
