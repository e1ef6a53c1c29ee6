package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;

/** Formats setpci commands that change only the bits of a mask. */
final class SetPci {
    private SetPci() {}

    /**
     * Returns a command that writes to a 16-bit register.
     *
     * @param bdf the function's address
     * @param register setpci's name of the register, such as {@code ECAP_ACS+6}
     * @param value the new value of the bits
     * @param mask the bits to change
     */
    static String word(Bdf bdf, String register, int value, int mask) {
        return "setpci -s %s %s.w=%04x:%04x".formatted(bdf, register, value & mask, mask);
    }
}
