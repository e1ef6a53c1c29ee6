package dev.peerlane.lab;

/** The source of a {@link Guest}'s kernel. */
public enum KernelSource {
    /** The Debian release that this machine runs. */
    MACHINE("base-"),
    /** Debian sid, whose kernel has p2pdma. */
    SID("sid-base-");

    private final String kind;

    KernelSource(String kind) {
        this.kind = kind;
    }

    /** Returns the name prefix in the cache for what is built from such kernels. */
    String kind() {
        return kind;
    }

    /** Returns the index of its packages. */
    PackageIndex index() {
        return this == SID ? PackageIndex.sid() : PackageIndex.ofThisMachine();
    }
}
