package dev.peerlane.spec;

/**
 * ONCS, Optional NVM Command Support (NVMe Base 2.0, 5.17.2.1): which commands {@link
 * IdentifyController} says the controller has.
 *
 * @param raw the field's 16 bits
 */
public record Oncs(int raw) {
    /** Bit of Compare. */
    public static final int COMPARE = 1;

    /** Bit of Write Uncorrectable. */
    public static final int WRITE_UNCORRECTABLE = 1 << 1;

    /** Bit of Dataset Management. */
    public static final int DSM = 1 << 2;

    /** Bit of Write Zeroes. */
    public static final int WRITE_ZEROES = 1 << 3;

    /** Bit of Save in Set Features and Select in Get Features. */
    public static final int SAVE_SELECT = 1 << 4;

    /** Bit of Reservations. */
    public static final int RESERVATIONS = 1 << 5;

    /** Bit of the Timestamp feature. */
    public static final int TIMESTAMP = 1 << 6;

    /** Bit of Verify. */
    public static final int VERIFY = 1 << 7;

    /** Bit of Copy. */
    public static final int COPY = 1 << 8;

    /** Compare is supported. */
    public boolean compare() {
        return (raw & COMPARE) != 0;
    }

    /** Write Uncorrectable is supported. */
    public boolean writeUncorrectable() {
        return (raw & WRITE_UNCORRECTABLE) != 0;
    }

    /** Dataset Management is supported. */
    public boolean dsm() {
        return (raw & DSM) != 0;
    }

    /** Write Zeroes is supported. */
    public boolean writeZeroes() {
        return (raw & WRITE_ZEROES) != 0;
    }

    /** Save in Set Features and Select in Get Features is supported. */
    public boolean saveSelect() {
        return (raw & SAVE_SELECT) != 0;
    }

    /** Reservations are supported. */
    public boolean reservations() {
        return (raw & RESERVATIONS) != 0;
    }

    /** The Timestamp feature is supported. */
    public boolean timestamp() {
        return (raw & TIMESTAMP) != 0;
    }

    /** Verify is supported. */
    public boolean verify() {
        return (raw & VERIFY) != 0;
    }

    /** Copy is supported. */
    public boolean copy() {
        return (raw & COPY) != 0;
    }
}
