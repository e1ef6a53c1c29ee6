package dev.peerlane.qtest;

import dev.peerlane.hal.Doorbell;

/** A doorbell that is written by message. The answer is taken later. */
final class QtestDoorbell extends Doorbell {
    private final QtestSocket socket;
    private final long address;

    QtestDoorbell(QtestSocket socket, long address) {
        this.socket = socket;
        this.address = address;
    }

    @Override
    public void ring(int value) {
        socket.postl(address, value);
    }
}
