package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import java.util.List;

/** Builds machines of different topologies. */
final class Shapes {
    static final int INTEL = 0x8086;
    static final int AMD = 0x1022;
    static final int BROADCOM = 0x1000;
    static final int MICROCHIP = 0x11f8;

    static final String ROOT = "0000:00:01.0";
    static final String UP = "0000:01:00.0";
    static final String DOWN_0 = "0000:02:00.0";
    static final String DOWN_1 = "0000:02:01.0";
    static final String A = "0000:03:00.0";
    static final String B = "0000:04:00.0";

    private Shapes() {}

    static Bdf bdf(String text) {
        return Bdf.parse(text);
    }

    /** Returns two drives below one switch. */
    static TreeBuilder behindSwitch(int vendor, int device, int acs) {
        TreeBuilder t = new TreeBuilder();
        t.host("0000:00:00.0", INTEL, 0x1234);
        t.rootPort(ROOT, INTEL, 0x352a);
        t.upstream(UP, ROOT, vendor, device);
        t.downstream(DOWN_0, UP, vendor, device).acs(acs);
        t.downstream(DOWN_1, UP, vendor, device).acs(acs);
        t.drive(A, DOWN_0);
        t.drive(B, DOWN_1);
        return t;
    }

    static TreeBuilder broadcom(int acs) {
        return behindSwitch(BROADCOM, 0xc030, acs);
    }

    static TreeBuilder microchip(int acs) {
        return behindSwitch(MICROCHIP, 0x4052, acs);
    }

    /** Returns two drives, each below a root port of its own. */
    static TreeBuilder rootPorts(int hostVendor, int hostDevice) {
        TreeBuilder t = new TreeBuilder();
        t.host("0000:00:00.0", hostVendor, hostDevice);
        t.rootPort("0000:00:01.0", hostVendor, 0x352a);
        t.rootPort("0000:00:06.0", hostVendor, 0x352b);
        t.drive(A, "0000:00:01.0");
        t.drive(B, "0000:00:06.0");
        return t;
    }

    /** Returns two drives below the host bridges of two sockets. */
    static TreeBuilder twoSockets(int hostDevice) {
        TreeBuilder t = new TreeBuilder();
        t.host("0000:00:00.0", INTEL, hostDevice);
        t.rootPort("0000:00:01.0", INTEL, 0x2f02);
        t.drive(A, "0000:00:01.0");
        t.host("0000:80:00.0", INTEL, hostDevice);
        t.rootPort("0000:80:01.0", INTEL, 0x2f02);
        t.drive("0000:81:00.0", "0000:80:01.0").texts.put("numa_node", "1");
        return t;
    }

    /** Returns two drives that are in a domain of Intel VMD. */
    static TreeBuilder vmd() {
        return rootPorts(INTEL, 0x09a2).with(Shapes::turnVmdOn);
    }

    /**
     * Turns Intel VMD on as firmware does: ports and drives move to a domain of their own, and to
     * the controller's group.
     */
    static void turnVmdOn(TreeBuilder t) {
        TreeBuilder.Node vmd = t.other("0000:00:0e.0", null, INTEL, 0x28c0, 0x010400);
        vmd.driver = "vmd";
        vmdMoves(t, "0000", "10000");
        t.nodes.values().stream()
                .filter(n -> n.bdf.segment() == 0x10000)
                .forEach(n -> n.group = vmd.group);
    }

    static void turnVmdOff(TreeBuilder t) {
        t.nodes.remove(bdf("0000:00:0e.0"));
        vmdMoves(t, "10000", "0000");
        int group = 0;
        for (TreeBuilder.Node node : t.nodes.values()) {
            node.group = group++;
        }
    }

    private static void vmdMoves(TreeBuilder t, String from, String to) {
        for (String port : List.of(":00:01.0", ":00:06.0")) {
            t.move(from + port, to + port, null);
        }
        t.move(from + A.substring(4), to + A.substring(4), to + ":00:01.0");
        t.move(from + B.substring(4), to + B.substring(4), to + ":00:06.0");
    }

    /** Returns two drives below a switch that redirects, itself below a port of another switch. */
    static TreeBuilder redirectBelowASwitch() {
        TreeBuilder t = new TreeBuilder();
        t.host("0000:00:00.0", INTEL, 0x09a2);
        t.rootPort(ROOT, INTEL, 0x352a);
        t.upstream(UP, ROOT, BROADCOM, 0xc030);
        t.downstream(DOWN_0, UP, BROADCOM, 0xc030).acs(0x10);
        t.upstream("0000:05:00.0", DOWN_0, BROADCOM, 0xc030);
        t.downstream("0000:06:00.0", "0000:05:00.0", BROADCOM, 0xc030).acs(0x1d);
        t.downstream("0000:06:01.0", "0000:05:00.0", BROADCOM, 0xc030).acs(0x1d);
        t.drive(A, "0000:06:00.0");
        t.drive(B, "0000:06:01.0");
        return t;
    }

    /** Returns 32 drives below four switches that are below one switch. */
    static TreeBuilder cascade() {
        TreeBuilder t = new TreeBuilder();
        t.host("0000:00:00.0", INTEL, 0x09a2);
        t.rootPort("0000:00:01.0", INTEL, 0x352a);
        t.upstream("0000:01:00.0", "0000:00:01.0", BROADCOM, 0xc030);
        int bus = 3;
        for (int s = 0; s < 4; s++) {
            String down = "0000:02:%02x.0".formatted(s);
            t.downstream(down, "0000:01:00.0", BROADCOM, 0xc030);
            String up = "0000:%02x:00.0".formatted(bus++);
            t.upstream(up, down, BROADCOM, 0xc030);
            int inner = bus++;
            for (int d = 0; d < 8; d++) {
                String port = "0000:%02x:%02x.0".formatted(inner, d);
                t.downstream(port, up, BROADCOM, 0xc030);
                t.drive("0000:%02x:00.0".formatted(bus++), port);
            }
        }
        return t;
    }
}
