package dev.peerlane.pci;

import dev.peerlane.Bits;

/**
 * Access Control Services of a bridge: the control register at +6 of extended capability 000Dh
 * (PCIe 5.0, 7.7.8.3). Redirect bits send peer traffic up to the root complex instead of straight
 * across.
 *
 * @param control the raw control register
 */
public record Acs(int control) {
    /** Of a bridge whose extended configuration space can't be read: taken as if it redirected. */
    public static final Acs UNREADABLE = new Acs(-1);

    /** Returns whether it was read. */
    public boolean known() {
        return control != -1;
    }

    /** Reads the control register of a function, or null where it has no ACS capability. */
    public static @org.jspecify.annotations.Nullable Acs of(ConfigSpace config) {
        var at = config.extendedCapability(ConfigSpace.EXT_ACS);
        return at.isPresent() ? new Acs(config.load16(at.getAsInt() + 6)) : null;
    }

    /** Source Validation. */
    public boolean sourceValidation() {
        return Bits.bit(control, 0);
    }

    /** Translation Blocking. */
    public boolean translationBlocking() {
        return Bits.bit(control, 1);
    }

    /** P2P Request Redirect (RR). */
    public boolean requestRedirect() {
        return Bits.bit(control, 2);
    }

    /** P2P Completion Redirect (CR). */
    public boolean completionRedirect() {
        return Bits.bit(control, 3);
    }

    /** Upstream Forwarding (UF). */
    public boolean upstreamForwarding() {
        return Bits.bit(control, 4);
    }

    /** P2P Egress Control (EC). */
    public boolean egressControl() {
        return Bits.bit(control, 5);
    }

    /** Direct Translated P2P (DT). */
    public boolean directTranslated() {
        return Bits.bit(control, 6);
    }

    /** Returns whether peer requests that reach this port are sent up instead of across. */
    public boolean redirects() {
        return requestRedirect() || completionRedirect() || egressControl();
    }
}
