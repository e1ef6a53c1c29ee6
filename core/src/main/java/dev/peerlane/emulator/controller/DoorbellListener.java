package dev.peerlane.emulator.controller;

/** Is told of doorbells that have another value. */
interface DoorbellListener {
    /**
     * A tail or a head was moved.
     *
     * @param completion whether the doorbell is that of a completion queue
     */
    void moved(int qid, boolean completion, int value);
}
