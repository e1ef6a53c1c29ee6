package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CSTS, Controller Status (NVMe Base 2.0, 3.1.3.6).
 *
 * @param raw the register's 32 bits
 */
public record Csts(int raw) {
    /** {@link #shst()}: normal operation, no shutdown asked for. */
    public static final int SHST_NORMAL = 0;

    /** {@link #shst()}: shutdown is going on. */
    public static final int SHST_OCCURRING = 1;

    /** {@link #shst()}: shutdown is complete. */
    public static final int SHST_COMPLETE = 2;

    /** Ready: the controller takes commands. */
    public boolean rdy() {
        return Bits.bit(raw, 0);
    }

    /** Controller Fatal Status: only a reset helps. */
    public boolean cfs() {
        return Bits.bit(raw, 1);
    }

    /** Shutdown Status. */
    public int shst() {
        return Bits.get(raw, 3, 2);
    }

    /** NVM Subsystem Reset Occurred; cleared by writing 1. */
    public boolean nssro() {
        return Bits.bit(raw, 4);
    }

    /** Processing Paused. */
    public boolean pp() {
        return Bits.bit(raw, 5);
    }

    /** Shutdown Type: 0 controller, 1 NVM subsystem. */
    public boolean st() {
        return Bits.bit(raw, 6);
    }

    /** Whether the read found nobody: a removed PCIe device answers with all ones. */
    public boolean isGone() {
        return raw == -1;
    }

    /** This register with another RDY. */
    public Csts withRdy(boolean rdy) {
        return new Csts(Bits.with(raw, 0, 0, flag(rdy)));
    }

    /** This register with another CFS. */
    public Csts withCfs(boolean cfs) {
        return new Csts(Bits.with(raw, 1, 1, flag(cfs)));
    }

    /** This register with another SHST. */
    public Csts withShst(int shst) {
        return new Csts(Bits.with(raw, 3, 2, shst));
    }

    /** This register with another NSSRO. */
    public Csts withNssro(boolean nssro) {
        return new Csts(Bits.with(raw, 4, 4, flag(nssro)));
    }

    /** This register with another PP. */
    public Csts withPp(boolean pp) {
        return new Csts(Bits.with(raw, 5, 5, flag(pp)));
    }
}
