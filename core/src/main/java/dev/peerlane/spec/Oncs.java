package dev.peerlane.spec;

/**
 * ONCS, Optional NVM Command Support (NVMe Base 2.0, 5.17.2.1): the optional commands that a
 * controller supports, from {@link IdentifyController}.
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

    /** Returns whether Compare is supported. */
    public boolean compare() {
        return (raw & COMPARE) != 0;
    }

    /** Returns whether Write Uncorrectable is supported. */
    public boolean writeUncorrectable() {
        return (raw & WRITE_UNCORRECTABLE) != 0;
    }

    /** Returns whether Dataset Management is supported. */
    public boolean dsm() {
        return (raw & DSM) != 0;
    }

    /** Returns whether Write Zeroes is supported. */
    public boolean writeZeroes() {
        return (raw & WRITE_ZEROES) != 0;
    }

    /** Returns whether Save in Set Features and Select in Get Features are supported. */
    public boolean saveSelect() {
        return (raw & SAVE_SELECT) != 0;
    }

    /** Returns whether Reservations are supported. */
    public boolean reservations() {
        return (raw & RESERVATIONS) != 0;
    }

    /** Returns whether the Timestamp feature is supported. */
    public boolean timestamp() {
        return (raw & TIMESTAMP) != 0;
    }

    /** Returns whether Verify is supported. */
    public boolean verify() {
        return (raw & VERIFY) != 0;
    }

    /** Returns whether Copy is supported. */
    public boolean copy() {
        return (raw & COPY) != 0;
    }
}
