package dev.peerlane.emulator;

import dev.peerlane.hal.OwnerThread;

/** Names the thread that owns a fabric and everything in it, and refuses all others. */
final class FabricOwner {
    private static final String NAME = "the emulated fabric";

    private final OwnerThread thread = new OwnerThread();

    /** Throws if the calling thread is not the owner. */
    void check() {
        thread.check(NAME);
    }

    /** Gives the fabric up: the next thread that uses it owns it. */
    void handOver() {
        thread.handOver(NAME);
    }
}
