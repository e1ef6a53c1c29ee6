package dev.peerlane.qtest;

import dev.peerlane.hal.Clock;

/**
 * Real time. A turn takes the answers to doorbell writes off the socket and gives QEMU time to run.
 */
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
    // only a courtesy; on few cores QEMU gets to run sooner
    @SuppressWarnings("ThreadPriorityCheck")
    public void turn() {
        socket.drain();
        Thread.yield();
    }
}
