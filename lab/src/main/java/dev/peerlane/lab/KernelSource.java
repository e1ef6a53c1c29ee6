package dev.peerlane.lab;

/** Where a {@link Guest} has its kernel from. */
public enum KernelSource {
    /** The Debian release that this machine runs. */
    MACHINE("base-"),
    /** Debian sid, whose kernel has p2pdma. */
    SID("sid-base-");

    private final String kind;

    KernelSource(String kind) {
        this.kind = kind;
    }

    /** Returns what the names in the cache begin with of what was made of such kernels. */
    String kind() {
        return kind;
    }

    /** Returns where its packages are looked up. */
    PackageIndex index() {
        return this == SID ? PackageIndex.sid() : PackageIndex.ofThisMachine();
    }
}
