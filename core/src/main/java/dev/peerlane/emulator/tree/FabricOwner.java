package dev.peerlane.emulator.tree;

import dev.peerlane.hal.parts.OwnerThread;

/** Names the thread that owns a fabric and everything in it, and refuses all others. */
public final class FabricOwner {
    private static final String NAME = "the emulated fabric";

    private final OwnerThread thread = new OwnerThread();

    /** Throws if the calling thread is not the owner. */
    public void check() {
        thread.check(NAME);
    }

    /** Gives the fabric up: the next thread that uses it owns it. */
    public void handOver() {
        thread.handOver(NAME);
    }
}
