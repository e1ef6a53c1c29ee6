package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;

/** Lines for setpci, which change the bits of a mask and no others. */
final class SetPci {
    private SetPci() {}

    /**
     * Returns a line that writes 16 bits.
     *
     * @param bdf the function
     * @param register as setpci names it, such as {@code ECAP_ACS+6}
     * @param value what the bits are to be
     * @param mask which bits
     */
    static String word(Bdf bdf, String register, int value, int mask) {
        return "setpci -s %s %s.w=%04x:%04x".formatted(bdf, register, value & mask, mask);
    }
}
