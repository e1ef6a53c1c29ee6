package dev.peerlane.qtest;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.pci.PciFunction.BarWindow;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A BAR that is accessed through the socket. Each access is one message. Bulk transfers move many
 * bytes per message.
 */
final class QtestBar extends Bar {
    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long PATTERN = 1 << 15;

    private final QtestSocket socket;
    private final BarWindow window;

    QtestBar(QtestSocket socket, BarWindow window) {
        this.socket = socket;
        this.window = window;
    }

    @Override
    public int index() {
        return window.index();
    }

    @Override
    public long sizeBytes() {
        return window.sizeBytes();
    }

    @Override
    public long pciAddress() {
        return window.address();
    }

    @Override
    public int load32(long offset) {
        return socket.readl(at(offset, 4, 4));
    }

    @Override
    public void store32(long offset, int value) {
        socket.writel(at(offset, 4, 4), value);
    }

    @Override
    public long load64(long offset) {
        return socket.readq(at(offset, 8, 8));
    }

    @Override
    public void store64(long offset, long value) {
        socket.writeq(at(offset, 8, 8), value);
    }

    @Override
    public Doorbell doorbell(long offset) {
        return new QtestDoorbell(socket, at(offset, 4, 4));
    }

    @Override
    public void load(long offset, MemorySegment target) {
        socket.read(at(offset, target.byteSize(), 4), target);
    }

    @Override
    public void store(long offset, MemorySegment source) {
        socket.write(at(offset, source.byteSize(), 4), source);
    }

    @Override
    public void fill(long offset, long bytes, int word) {
        long start = at(offset, bytes, 4);
        if (word == (word & 0xff) * 0x01010101) {
            socket.fill(start, bytes, word);
            return;
        }
        MemorySegment pattern = MemorySegment.ofArray(new int[(int) Math.min(bytes, PATTERN) / 4]);
        for (long i = 0; i < pattern.byteSize(); i += 4) {
            pattern.set(LE_INT, i, word);
        }
        for (long i = 0; i < bytes; i += PATTERN) {
            socket.write(start + i, pattern.asSlice(0, Math.min(PATTERN, bytes - i)));
        }
    }

    private long at(long offset, long bytes, int multiple) {
        Objects.checkFromIndexSize(offset, bytes, window.sizeBytes());
        if (((offset | bytes) & (multiple - 1)) != 0) {
            throw new IllegalArgumentException(
                    "offset 0x%x and length 0x%x must be multiples of %d"
                            .formatted(offset, bytes, multiple));
        }
        return window.address() + offset;
    }
}
