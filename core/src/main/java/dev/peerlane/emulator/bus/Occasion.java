package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.model.Fault;

/** What a fault can happen to. */
public enum Occasion {
    /** A command of a drive. */
    COMMAND,
    /** A posted data write to another function's memory. */
    PEER_WRITE,
    /** A write to CMBMSC that sets CMSE. */
    CMB_ENABLE,
    /** A mapping of a BAR for peers. */
    MAPPING,
    /** An allocation of host memory for DMA. */
    ALLOCATION,
    /** A turn of the fabric's clock. */
    TURN;

    /** Returns what faults of a kind happen to. */
    static Occasion of(Fault.Kind kind) {
        return switch (kind) {
            case CBAI, CMB_HOLE -> CMB_ENABLE;
            case DROPPED_WRITE, DELAYED_WRITE, DUPLICATED_WRITE -> PEER_WRITE;
            case MAPPING -> MAPPING;
            case ALLOCATION -> ALLOCATION;
            case SUDDEN_RESET, SUDDEN_DISABLE, SUDDEN_REMOVAL -> TURN;
            default -> COMMAND;
        };
    }
}
