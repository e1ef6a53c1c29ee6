package dev.peerlane.emulator.controller;

import dev.peerlane.spec.wire.Cc;

/** The settings of the host in CC that queues and commands need. */
final class HostSettings {
    private int cc;
    private int pageBytes = new Cc(0).pageBytes();

    /** Returns CC. */
    int cc() {
        return cc;
    }

    /** Sets CC. */
    void store(int value) {
        cc = value;
        pageBytes = new Cc(value).pageBytes();
    }

    /** Returns the host's page size. It is cached, because every command needs it. */
    int pageBytes() {
        return pageBytes;
    }

    /** Returns the entry size of CC.IOSQES, or 0 if the NVM Command Set can't use it. */
    int submissionBytes() {
        int iosqes = new Cc(cc).iosqes();
        return iosqes == Cc.IOSQES_NVM ? iosqes : 0;
    }

    /** Returns the entry size of CC.IOCQES, or 0 if the NVM Command Set can't use it. */
    int completionBytes() {
        int iocqes = new Cc(cc).iocqes();
        return iocqes == Cc.IOCQES_NVM ? iocqes : 0;
    }
}
