package dev.peerlane.pci;

import dev.peerlane.Bits;
import org.jspecify.annotations.Nullable;

/**
 * The Access Control Services of a port: extended capability 000Dh, with its control register at +6
 * (PCIe 5.0, 7.7.8). Redirect bits send peer traffic up to the root complex instead of straight
 * across.
 *
 * @param offset offset of the capability in configuration space; 0 if not known
 * @param capability the raw capability register at +4: what the port supports
 * @param control the raw control register at +6: what is enabled
 * @param egressVector the first 64 bits of the Egress Control Vector at +8, if there is one; bit n
 *     is for the port with number n
 */
public record Acs(int offset, int capability, int control, long egressVector) {
    /** Translation Blocking, in both registers. */
    public static final int TRANSLATION_BLOCKING = 1 << 1;

    /** P2P Request Redirect. */
    public static final int REQUEST_REDIRECT = 1 << 2;

    /** P2P Completion Redirect. */
    public static final int COMPLETION_REDIRECT = 1 << 3;

    /** Upstream Forwarding. */
    public static final int UPSTREAM_FORWARDING = 1 << 4;

    /** P2P Egress Control. */
    public static final int EGRESS_CONTROL = 1 << 5;

    /** The bits that keep peer traffic from crossing a switch directly. */
    public static final int REDIRECT_BITS = REQUEST_REDIRECT | COMPLETION_REDIRECT | EGRESS_CONTROL;

    /**
     * The value for a bridge whose extended configuration space can't be read. It counts as
     * redirecting.
     */
    public static final Acs UNREADABLE = new Acs(-1);

    /** Creates an instance of which only the control register is known. */
    public Acs(int control) {
        this(0, control & 0x7f, control, 0);
    }

    /** Returns whether the registers were read. */
    public boolean known() {
        return control != -1;
    }

    /** Reads the capability of a function, or returns null if the function has none. */
    public static @Nullable Acs of(ConfigSpace config) {
        var at = config.extendedCapability(ConfigSpace.EXT_ACS);
        if (at.isEmpty()) {
            return null;
        }
        int offset = at.getAsInt();
        int capability = config.load16(offset + 4);
        long vector = 0;
        if ((capability & EGRESS_CONTROL) != 0) {
            vector = Integer.toUnsignedLong(config.load32(offset + 8));
            vector |= vectorSize(capability) > 32 ? (long) config.load32(offset + 12) << 32 : 0;
        }
        return new Acs(offset, capability, config.load16(offset + 6), vector);
    }

    /**
     * Returns the number of bits in the Egress Control Vector. A field value of 0 stands for 256.
     */
    private static int vectorSize(int capability) {
        int size = Bits.get(capability, 15, 8);
        return size == 0 ? 256 : size;
    }

    /**
     * Returns whether the Egress Control Vector names a port. Requests for a named port are
     * redirected if RR is on, and blocked otherwise. A port beyond the known bits counts as named.
     *
     * @param port port number (Link Capabilities 31:24)
     */
    public boolean controlsEgress(int port) {
        boolean read = offset != 0 && (capability & EGRESS_CONTROL) != 0;
        int known = read ? Math.min(vectorSize(capability), 64) : 0;
        return port < 0 || port >= known || (egressVector >>> port & 1) != 0;
    }

    /** Returns whether Source Validation (SV) is on. */
    public boolean sourceValidation() {
        return Bits.bit(control, 0);
    }

    /** Returns whether Translation Blocking (TB) is on. */
    public boolean translationBlocking() {
        return Bits.bit(control, 1);
    }

    /** Returns whether P2P Request Redirect (RR) is on. */
    public boolean requestRedirect() {
        return Bits.bit(control, 2);
    }

    /** Returns whether P2P Completion Redirect (CR) is on. */
    public boolean completionRedirect() {
        return Bits.bit(control, 3);
    }

    /** Returns whether Upstream Forwarding (UF) is on. */
    public boolean upstreamForwarding() {
        return Bits.bit(control, 4);
    }

    /** Returns whether P2P Egress Control (EC) is on. */
    public boolean egressControl() {
        return Bits.bit(control, 5);
    }

    /** Returns whether Direct Translated P2P (DT) is on. */
    public boolean directTranslated() {
        return Bits.bit(control, 6);
    }

    /** Returns whether the port sends peer requests up instead of across. */
    public boolean redirects() {
        return requestRedirect() || completionRedirect() || egressControl();
    }

    /** Returns the redirect bits that are set, such as {@code RR CR}, or an empty text. */
    public String redirectWords() {
        String words =
                (requestRedirect() ? "RR " : "")
                        + (completionRedirect() ? "CR " : "")
                        + (egressControl() ? "EC " : "");
        return words.strip();
    }

    /** Returns all bits that are set, by the specification's short names, or {@code off}. */
    public String words() {
        if (!known()) {
            return "unreadable";
        }
        String words =
                (sourceValidation() ? "SV " : "")
                        + (translationBlocking() ? "TB " : "")
                        + redirectWords()
                        + (upstreamForwarding() ? " UF" : "")
                        + (directTranslated() ? " DT" : "");
        String tidy = words.replace("  ", " ").strip();
        return tidy.isEmpty() ? "off" : tidy;
    }
}
