package dev.peerlane.qtest;

import dev.peerlane.hal.Clock;

/** Real time; a turn takes the answers of doorbells off the socket and lets QEMU run. */
final class QtestClock extends Clock {
    private final QtestSocket socket;

    QtestClock(QtestSocket socket) {
        this.socket = socket;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // correct without it; on few cores QEMU runs sooner
    public void turn() {
        socket.drain();
        Thread.yield();
    }
}
