package dev.peerlane.open;

import dev.peerlane.emulator.PacketSpec;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads how an emulated fabric moves its packets: {@code fabric}, {@code packets}, {@code links}.
 */
final class PacketsPart {
    private static final long MAX_NANOS = 1_000_000_000L;

    private enum Kind {
        FAST,
        PACKETS
    }

    private PacketsPart() {}

    /** Returns what the file says of packets; null for a fabric without them. */
    static @Nullable PacketSpec read(YamlReader yaml) {
        if (yaml.choice("fabric", Kind.FAST) == Kind.FAST) {
            for (String key : new String[] {"packets", "links"}) {
                if (yaml.has(key)) {
                    throw yaml.error(
                            "'" + key + "' is there, but the fabric has no packets",
                            "Write 'fabric: packets', or leave it out");
                }
            }
            return null;
        }
        YamlReader packets = yaml.mapping("packets");
        PacketSpec.Link link = PacketSpec.DEFAULTS.link();
        PacketSpec spec = PacketSpec.DEFAULTS;
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
                    "hostStoreNanos");
            link = packets.located(reader -> link(reader, PacketSpec.DEFAULTS.link()));
            spec = packets.located(PacketsPart::packets);
        }
        return spec.withLinks(link, links(yaml, link));
    }

    private static PacketSpec packets(YamlReader yaml) {
        PacketSpec d = PacketSpec.DEFAULTS;
        return d.withMaxPayloadBytes(yaml.integer("maxPayload", d.maxPayloadBytes()))
                .withForwarding(
                        yaml.choice("forwarding", d.forwarding()),
                        yaml.number("forwardingNanos", d.forwardingNanos(), 0, MAX_NANOS))
                .withOrdering(
                        yaml.bool("reorder", d.reorder()), yaml.bool("idOrdering", d.idOrdering()))
                .withHostStoreNanos(
                        yaml.number("hostStoreNanos", d.hostStoreNanos(), 0, MAX_NANOS));
    }

    private static Map<String, PacketSpec.Link> links(YamlReader yaml, PacketSpec.Link every) {
        Map<String, PacketSpec.Link> links = new LinkedHashMap<>();
        for (YamlReader one : yaml.mappings("links")) {
            one.allow("at", "latencyNanos", "bytesPerSecond", "credits");
            String at = one.text("at");
            if (links.put(at, one.located(reader -> link(reader, every))) != null) {
                throw one.wrong("at", at, "Say each link once");
            }
        }
        return links;
    }

    private static PacketSpec.Link link(YamlReader yaml, PacketSpec.Link every) {
        return new PacketSpec.Link(
                yaml.number("latencyNanos", every.latencyNanos(), 0, MAX_NANOS),
                yaml.size("bytesPerSecond", every.bytesPerSecond()),
                yaml.integer("credits", every.credits()));
    }
}
