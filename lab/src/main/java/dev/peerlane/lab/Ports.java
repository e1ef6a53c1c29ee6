package dev.peerlane.lab;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Adds the root ports, switches and host bridges that drives need to a QEMU command line. */
final class Ports {
    private final List<String> command;
    private final Map<String, Integer> portsOfSwitch = new LinkedHashMap<>();
    private final Map<String, String> sharedPorts = new LinkedHashMap<>();
    private final Map<String, Integer> drivesOfPort = new LinkedHashMap<>();
    private final Set<Integer> hostBridges = new HashSet<>();
    private int rootPorts;
    private int chassis;

    Ports(List<String> command) {
        this.command = command;
    }

    /** Returns the bus for another drive, with its address there if it matters. */
    String below(Drive drive) {
        String portName = drive.portName();
        if (portName != null) {
            String port =
                    sharedPorts.computeIfAbsent(
                            portName,
                            name -> rootPort(hostBridge(drive.hostBridgeBus()), drive.acs()));
            int function = drivesOfPort.merge(port, 1, Integer::sum) - 1;
            return "%s,addr=0.%d,multifunction=on".formatted(port, function);
        }
        String switchName = drive.switchName();
        return switchName == null
                ? rootPort(hostBridge(drive.hostBridgeBus()), drive.acs())
                : downstream(switchName, drive.outerSwitchName(), drive);
    }

    private String downstream(String switchName, @Nullable String outer, Drive drive) {
        if (!portsOfSwitch.containsKey(switchName)) {
            String port =
                    outer == null
                            ? rootPort(hostBridge(drive.hostBridgeBus()), drive.acs())
                            : downstream(outer, null, drive);
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
