package dev.peerlane.emulator.controller;

import dev.peerlane.spec.wire.Cc;

/** Holds what the host has set in CC, as queues and commands ask for it. */
final class HostSettings {
    private int cc;
    private int pageBytes = new Cc(0).pageBytes();

    /** Returns CC. */
    int cc() {
        return cc;
    }

    /** Takes another value of CC. */
    void store(int value) {
        cc = value;
        pageBytes = new Cc(value).pageBytes();
    }

    /** Returns the host's page size; kept, since every command asks. */
    int pageBytes() {
        return pageBytes;
    }

    /** Returns CC.IOSQES, or 0 if it is not what the NVM Command Set needs. */
    int submissionBytes() {
        int iosqes = new Cc(cc).iosqes();
        return iosqes == Cc.IOSQES_NVM ? iosqes : 0;
    }

    /** Returns CC.IOCQES, or 0 if it is not what the NVM Command Set needs. */
    int completionBytes() {
        int iocqes = new Cc(cc).iocqes();
        return iocqes == Cc.IOCQES_NVM ? iocqes : 0;
    }
}
