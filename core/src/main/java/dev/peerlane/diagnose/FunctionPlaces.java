package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsTree;

/** Locates functions: their files in sysfs, and whether they are behind Intel's VMD. */
final class FunctionPlaces {
    private static final int VMD_SEGMENT = 0x10000;

    private FunctionPlaces() {}

    /** Returns where the configuration space of a function was read, for messages. */
    static String config(Snapshot snapshot, Bdf bdf) {
        return snapshot.host() == null ? "configuration space of " + bdf : file(bdf, "config");
    }

    /** Returns the path of a file of a function. */
    static String file(Bdf bdf, String name) {
        return "/" + SysfsTree.directory(bdf) + "/" + name;
    }

    /** Returns whether a function is in a domain of Intel VMD, whose numbers exceed 16 bits. */
    static boolean isBehindVmd(Bdf bdf) {
        return Integer.compareUnsigned(bdf.segment(), VMD_SEGMENT) >= 0;
    }
}
