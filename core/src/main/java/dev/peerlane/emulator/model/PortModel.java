package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A port of the root complex or of a switch that faces devices, and what is plugged into it: a
 * drive, a switch with ports of its own, or nothing.
 *
 * @param acs the control register of Access Control Services, or null for a port without them
 * @param drive the name of the drive in the port, or null
 * @param ports the downstream ports of the switch in the port; empty for no switch
 * @param egress the Egress Control Vector: the ports of its switch, counted from 1, to which
 *     requests of its device are controlled if ACS EC is on
 */
public record PortModel(
        @Nullable Integer acs, @Nullable String drive, List<PortModel> ports, Set<Integer> egress) {
    /** ACS: P2P Request Redirect, P2P Completion Redirect and Upstream Forwarding. */
    public static final int ACS_REDIRECT = 0x1c;

    private static final int ACS_SUPPORTED = 0x7f;
    private static final int MAX_PORT = 63;

    /** Checks that the port holds at most one thing. */
    public PortModel {
        ports = List.copyOf(ports);
        egress = Set.copyOf(egress);
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
                    "Ports here know SV, TB, RR, CR, UF, EC and DT: bits 0x7f");
        }
        for (int port : egress) {
            if (acs == null || port < 1 || port > MAX_PORT) {
                throw PeerlaneException.request(
                        "bad-fabric",
                        "a port has egress control of port " + port,
                        "Give it acs, and count the ports of its switch from 1");
            }
        }
    }

    /** Creates a port whose Egress Control Vector is empty. */
    public PortModel(@Nullable Integer acs, @Nullable String drive, List<PortModel> ports) {
        this(acs, drive, ports, Set.of());
    }

    /** Returns a port without ACS that holds a drive. */
    public static PortModel drive(String name) {
        return new PortModel(null, name, List.of());
    }

    /** Returns a port without ACS that holds a switch with these downstream ports. */
    public static PortModel switchOf(PortModel... ports) {
        return new PortModel(null, null, List.of(ports));
    }

    /** Returns this port with Access Control Services. */
    public PortModel withAcs(int control) {
        return new PortModel(control, drive, ports, egress);
    }

    /** Returns this port with an Egress Control Vector; it must have Access Control Services. */
    public PortModel withEgress(Integer... numbers) {
        return new PortModel(acs, drive, ports, Set.of(numbers));
    }
}
