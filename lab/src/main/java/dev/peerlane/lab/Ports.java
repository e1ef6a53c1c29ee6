package dev.peerlane.lab;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Adds root ports, switches and host bridges to a QEMU command line as drives ask for them. */
final class Ports {
    private final List<String> command;
    private final Map<String, Integer> portsOfSwitch = new LinkedHashMap<>();
    private final Set<Integer> hostBridges = new HashSet<>();
    private int rootPorts;
    private int chassis;

    Ports(List<String> command) {
        this.command = command;
    }

    /** Returns the bus for one more drive. */
    String below(Drive drive) {
        String switchName = drive.switchName();
        if (switchName == null) {
            return rootPort(hostBridge(drive.hostBridgeBus()), drive.acs());
        }
        if (!portsOfSwitch.containsKey(switchName)) {
            String port = rootPort(hostBridge(drive.hostBridgeBus()), drive.acs());
            device("x3130-upstream,id=up-%s,bus=%s".formatted(switchName, port));
        }
        int port = portsOfSwitch.merge(switchName, 1, Integer::sum) - 1;
        String id = "down-%s-%d".formatted(switchName, port);
        chassis++;
        device(
                "xio3130-downstream,id=%s,bus=up-%s,chassis=%d,slot=%d"
                        .formatted(id, switchName, chassis, chassis));
        return id;
    }

    private String hostBridge(int busNumber) {
        if (busNumber == 0) {
            return "pcie.0";
        }
        String id = "host-" + busNumber;
        if (hostBridges.add(busNumber)) {
            device("pxb-pcie,id=%s,bus=pcie.0,bus_nr=%d".formatted(id, busNumber));
        }
        return id;
    }

    private String rootPort(String bus, boolean acs) {
        String id = "root-" + rootPorts;
        chassis++;
        device(
                "pcie-root-port,id=%s,bus=%s,chassis=%d,slot=%d%s"
                        .formatted(id, bus, chassis, chassis, acs ? "" : ",disable-acs=on"));
        rootPorts++;
        return id;
    }

    private void device(String text) {
        command.add("-device");
        command.add(text);
    }
}
