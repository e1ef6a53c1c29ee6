package dev.peerlane.emulator;

import dev.peerlane.PeerlaneException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A port of the root complex or of a switch that faces devices, and what is plugged into it: a
 * drive, a switch with ports of its own, or nothing.
 *
 * @param acs the control register of its Access Control Services, or null for a port without them
 * @param drive name of the drive in it, or null
 * @param ports the downstream ports of the switch in it; empty for no switch
 */
public record PortSpec(@Nullable Integer acs, @Nullable String drive, List<PortSpec> ports) {
    /** ACS: P2P Request Redirect, P2P Completion Redirect and Upstream Forwarding. */
    public static final int ACS_REDIRECT = 0x1c;

    private static final int ACS_SUPPORTED = 0x5f;

    /** Checks that there is at most one thing in the port. */
    public PortSpec {
        ports = List.copyOf(ports);
        if (drive != null && !ports.isEmpty()) {
            throw PeerlaneException.request(
                    "bad-fabric",
                    "a port holds drive '" + drive + "' and a switch",
                    "Put one of them into a port");
        }
        if (acs != null && (acs & ~ACS_SUPPORTED) != 0) {
            throw PeerlaneException.request(
                    "bad-fabric",
                    "a port has ACS control 0x%x".formatted(acs),
                    "Ports here know SV, TB, RR, CR, UF and DT: bits 0x5f");
        }
    }

    /** A port without ACS that holds a drive. */
    public static PortSpec drive(String name) {
        return new PortSpec(null, name, List.of());
    }

    /** A port without ACS that holds a switch with these downstream ports. */
    public static PortSpec switchOf(PortSpec... ports) {
        return new PortSpec(null, null, List.of(ports));
    }

    /** The same port with Access Control Services. */
    public PortSpec withAcs(int control) {
        return new PortSpec(control, drive, ports);
    }
}
