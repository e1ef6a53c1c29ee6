package dev.peerlane.emulator.controller;

/** Registers in a BAR. Offsets are multiples of the width and lie within the block. */
public interface RegisterBlock {
    int load32(long offset);

    long load64(long offset);

    void store32(long offset, int value);

    void store64(long offset, long value);
}
