package dev.peerlane.emulator.controller;

/** Receives doorbells whose value has changed. */
interface DoorbellListener {
    /**
     * Called when a tail or a head has moved.
     *
     * @param completion whether the doorbell is that of a completion queue
     */
    void moved(int qid, boolean completion, int value);
}
