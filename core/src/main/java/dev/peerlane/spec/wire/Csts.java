package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CSTS, Controller Status (NVMe Base 2.0, 3.1.3.6).
 *
 * @param raw the register's 32 bits
 */
public record Csts(int raw) {
    /** {@link #shst()}: normal operation, no shutdown requested. */
    public static final int SHST_NORMAL = 0;

    /** {@link #shst()}: shutdown in progress. */
    public static final int SHST_OCCURRING = 1;

    /** {@link #shst()}: shutdown is complete. */
    public static final int SHST_COMPLETE = 2;

    /** Returns whether Ready is set: the controller takes commands. */
    public boolean rdy() {
        return Bits.bit(raw, 0);
    }

    /** Returns whether Controller Fatal Status is set: only a reset helps. */
    public boolean cfs() {
        return Bits.bit(raw, 1);
    }

    /** Returns the Shutdown Status. */
    public int shst() {
        return Bits.get(raw, 3, 2);
    }

    /** Returns whether NVM Subsystem Reset Occurred is set. Writing 1 clears it. */
    public boolean nssro() {
        return Bits.bit(raw, 4);
    }

    /** Returns whether Processing Paused is set. */
    public boolean pp() {
        return Bits.bit(raw, 5);
    }

    /** Returns the Shutdown Type: false for the controller, true for the NVM subsystem. */
    public boolean st() {
        return Bits.bit(raw, 6);
    }

    /** Returns whether the device is gone: reads of a removed PCIe device return all ones. */
    public boolean isGone() {
        return raw == -1;
    }

    /** Returns a copy with another RDY. */
    public Csts withRdy(boolean rdy) {
        return new Csts(Bits.with(raw, 0, 0, flag(rdy)));
    }

    /** Returns a copy with another CFS. */
    public Csts withCfs(boolean cfs) {
        return new Csts(Bits.with(raw, 1, 1, flag(cfs)));
    }

    /** Returns a copy with another SHST. */
    public Csts withShst(int shst) {
        return new Csts(Bits.with(raw, 3, 2, shst));
    }

    /** Returns a copy with another NSSRO. */
    public Csts withNssro(boolean nssro) {
        return new Csts(Bits.with(raw, 4, 4, flag(nssro)));
    }

    /** Returns a copy with another PP. */
    public Csts withPp(boolean pp) {
        return new Csts(Bits.with(raw, 5, 5, flag(pp)));
    }
}
