package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CC, Controller Configuration (NVMe Base 2.0, 3.1.3.5).
 *
 * @param raw the register's 32 bits
 */
public record Cc(int raw) {
    /** {@link #css()}: the NVM Command Set. */
    public static final int CSS_NVM = 0;

    /** {@link #css()}: all I/O Command Sets of the selected profile. */
    public static final int CSS_ALL = 6;

    /** {@link #css()}: admin commands only. */
    public static final int CSS_ADMIN = 7;

    /** {@link #shn()}: no notification. */
    public static final int SHN_NONE = 0;

    /** {@link #shn()}: normal shutdown; caches are flushed. */
    public static final int SHN_NORMAL = 1;

    /** {@link #shn()}: abrupt shutdown; power is about to fail. */
    public static final int SHN_ABRUPT = 2;

    /** {@link #iosqes()} of the NVM Command Set: 64 bytes. */
    public static final int IOSQES_NVM = 6;

    /** {@link #iocqes()} of the NVM Command Set: 16 bytes. */
    public static final int IOCQES_NVM = 4;

    /** Returns whether Enable is set: 0 to 1 starts the controller, 1 to 0 resets it. */
    public boolean en() {
        return Bits.bit(raw, 0);
    }

    /** Returns the I/O Command Set Selected. It may change only while EN is 0. */
    public int css() {
        return Bits.get(raw, 6, 4);
    }

    /** Returns the Memory Page Size, raw: 2 ^ (12 + MPS) bytes. */
    public int mps() {
        return Bits.get(raw, 10, 7);
    }

    /** Returns the memory page size of PRPs and queues in bytes. */
    public int pageBytes() {
        return 1 << (12 + mps());
    }

    /** Returns the Arbitration Mechanism Selected: 0 round robin, 1 weighted, 7 vendor specific. */
    public int ams() {
        return Bits.get(raw, 13, 11);
    }

    /** Returns the Shutdown Notification. */
    public int shn() {
        return Bits.get(raw, 15, 14);
    }

    /** Returns the I/O Submission Queue Entry Size as a power of two. */
    public int iosqes() {
        return Bits.get(raw, 19, 16);
    }

    /** Returns the I/O Completion Queue Entry Size as a power of two. */
    public int iocqes() {
        return Bits.get(raw, 23, 20);
    }

    /** Returns whether Controller Ready Independent of Media Enable is set. */
    public boolean crime() {
        return Bits.bit(raw, 24);
    }

    /** Returns a copy with another EN. */
    public Cc withEn(boolean en) {
        return new Cc(Bits.with(raw, 0, 0, flag(en)));
    }

    /** Returns a copy with another CSS. */
    public Cc withCss(int css) {
        return new Cc(Bits.with(raw, 6, 4, css));
    }

    /** Returns a copy with another MPS. */
    public Cc withMps(int mps) {
        return new Cc(Bits.with(raw, 10, 7, mps));
    }

    /** Returns a copy with another AMS. */
    public Cc withAms(int ams) {
        return new Cc(Bits.with(raw, 13, 11, ams));
    }

    /** Returns a copy with another SHN. */
    public Cc withShn(int shn) {
        return new Cc(Bits.with(raw, 15, 14, shn));
    }

    /** Returns a copy with another IOSQES. */
    public Cc withIosqes(int iosqes) {
        return new Cc(Bits.with(raw, 19, 16, iosqes));
    }

    /** Returns a copy with another IOCQES. */
    public Cc withIocqes(int iocqes) {
        return new Cc(Bits.with(raw, 23, 20, iocqes));
    }

    /** Returns a copy with another CRIME. */
    public Cc withCrime(boolean crime) {
        return new Cc(Bits.with(raw, 24, 24, flag(crime)));
    }
}
