package dev.peerlane.spec;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * An asynchronous event, as reported in dword 0 of the completion of an Asynchronous Event Request
 * (NVMe Base 2.0, 5.2.1).
 *
 * @param raw dword 0 of the completion
 */
public record AsyncEvent(int raw) {
    /** {@link #type()}: an error that belongs to no single command. */
    public static final int TYPE_ERROR = 0;

    /** {@link #type()}: health. */
    public static final int TYPE_SMART = 1;

    /** {@link #type()}: a notice of a change. */
    public static final int TYPE_NOTICE = 2;

    /** {@link #type()}: an event of an I/O command set, such as reservations or sanitize. */
    public static final int TYPE_IO_COMMAND_SET = 6;

    /** {@link #type()}: vendor specific. */
    public static final int TYPE_VENDOR = 7;

    /** {@link #info()} of an error: a write to the doorbell of a queue that does not exist. */
    public static final int ERROR_INVALID_DOORBELL = 0;

    /** {@link #info()} of an error: a doorbell value out of the queue's range. */
    public static final int ERROR_INVALID_DOORBELL_VALUE = 1;

    /** {@link #info()} of a notice: a change of namespaces. */
    public static final int NOTICE_NAMESPACE_ATTRIBUTE = 0;

    /** Composes an event. */
    public static AsyncEvent of(int type, int info, int lid) {
        return new AsyncEvent(
                Bits.with(Bits.with(Bits.with(0, 2, 0, type), 15, 8, info), 23, 16, lid));
    }

    /** Returns the Asynchronous Event Type. */
    public int type() {
        return Bits.get(raw, 2, 0);
    }

    /** Returns the Asynchronous Event Information; its meaning depends on the type. */
    public int info() {
        return Bits.get(raw, 15, 8);
    }

    /** Returns the log page to read in order to clear the event, from {@link LogPage}. */
    public int lid() {
        return Bits.get(raw, 23, 16);
    }

    /** Returns the event in words. Never fails: an unknown event gets a text that says so. */
    public String describe() {
        String name =
                switch (type()) {
                    case TYPE_ERROR -> error();
                    case TYPE_SMART -> smart();
                    case TYPE_NOTICE -> notice();
                    case TYPE_IO_COMMAND_SET -> commandSet();
                    case TYPE_VENDOR -> Wire.unknown("vendor specific event", info());
                    default -> Wire.unknown("event of unknown type", type());
                };
        return name + " (log page " + LogPage.name(lid()) + ")";
    }

    private String error() {
        return switch (info()) {
            case ERROR_INVALID_DOORBELL -> "write to an invalid doorbell";
            case ERROR_INVALID_DOORBELL_VALUE -> "invalid value written to a doorbell";
            case 2 -> "diagnostic failure";
            case 3 -> "persistent internal error";
            case 4 -> "transient internal error";
            case 5 -> "firmware image load error";
            default -> Wire.unknown("unknown error event", info());
        };
    }

    private String smart() {
        return switch (info()) {
            case 0 -> "reliability degraded";
            case 1 -> "temperature threshold crossed";
            case 2 -> "spare capacity below its threshold";
            default -> Wire.unknown("unknown health event", info());
        };
    }

    private String notice() {
        return switch (info()) {
            case NOTICE_NAMESPACE_ATTRIBUTE -> "namespace attributes changed";
            case 1 -> "firmware activation starts";
            case 2 -> "telemetry log changed";
            case 3 -> "asymmetric namespace access changed";
            default -> Wire.unknown("unknown notice", info());
        };
    }

    private String commandSet() {
        return switch (info()) {
            case 0 -> "reservation log page available";
            case 1 -> "sanitize operation completed";
            default -> Wire.unknown("unknown command set event", info());
        };
    }
}
