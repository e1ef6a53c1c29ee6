package dev.peerlane.emulator.controller;

/** Receives doorbells whose value has changed. */
interface DoorbellListener {
    /**
     * A tail or a head was moved.
     *
     * @param completion whether the doorbell is that of a completion queue
     */
    void moved(int qid, boolean completion, int value);
}
