package dev.peerlane.qtest;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction.BarWindow;
import dev.peerlane.qtest.PciNode.BarNeed;
import java.util.Comparator;
import java.util.List;

/**
 * Assigns an address to every memory BAR and opens the bridges' windows to them. 64-bit
 * prefetchable BARs are placed above all RAM, the others below 4 GiB. Turns memory decoding on in
 * functions whose BARs have addresses, and lets bridges forward DMA upstream. I/O ports and option
 * ROMs get no address.
 */
final class PciPlacement {
    private static final long LOW_START = 0xc000_0000L;
    private static final long LOW_END = 0xfe00_0000L;
    private static final long HIGH_START = 1L << 35;
    private static final long HIGH_END = 1L << 39;
    private static final long WINDOW_BYTES = 1L << 20;
    private static final int MEMORY_WINDOW = 0x20;
    private static final int PREFETCHABLE_BASE_HIGH = 0x28;
    private static final int PREFETCHABLE_LIMIT_HIGH = 0x2c;
    private static final int CLOSED_WINDOW = 0x0000_fff0;

    private final boolean high;
    private final long end;
    private long next;

    private PciPlacement(boolean high, long start, long end) {
        this.high = high;
        this.next = start;
        this.end = end;
    }

    /**
     * Places all BARs.
     *
     * @param roots the functions on root buses
     * @param ramBytes RAM of the machine in bytes
     * @throws PeerlaneException if there is not enough address space
     */
    static void run(List<PciNode> roots, long ramBytes) {
        PciPlacement low = new PciPlacement(false, LOW_START, LOW_END);
        long start = Math.max(HIGH_START, Long.highestOneBit(ramBytes) * 4);
        PciPlacement high = new PciPlacement(true, start, HIGH_END);
        for (PciNode root : roots) {
            low.place(root);
            high.place(root);
            decode(root);
        }
    }

    private void place(PciNode node) {
        List<BarNeed> mine =
                node.needs().stream()
                        .filter(need -> isHigh(node, need) == high)
                        .sorted(Comparator.comparing(BarNeed::sizeBytes).reversed())
                        .toList();
        for (BarNeed need : mine) {
            place(node, need);
        }
        if (node.isBridge()) {
            next = align(next, WINDOW_BYTES);
            long base = next;
            node.children().forEach(this::place);
            next = align(next, WINDOW_BYTES);
            openWindow(node, base, next - 1);
        }
    }

    private static boolean isHigh(PciNode node, BarNeed need) {
        return need.wide() && need.prefetchable() && node.reachedAbove4g();
    }

    private void place(PciNode node, BarNeed need) {
        long address = align(next, need.sizeBytes());
        if (address < next || need.sizeBytes() > end - address) {
            throw PeerlaneException.machine(
                    "qtest-no-address-space",
                    "BAR%d of %s, %d bytes, does not fit below 0x%x"
                            .formatted(need.index(), node.bdf(), need.sizeBytes(), end),
                    "Start QEMU with fewer or smaller devices");
        }
        int at = ConfigSpace.BAR0 + 4 * need.index();
        node.config().store32(at, (int) address);
        if (need.wide()) {
            node.config().store32(at + 4, (int) (address >>> 32));
        }
        node.bars().add(new BarWindow(need.index(), address, need.sizeBytes()));
        next = address + need.sizeBytes();
    }

    /** Programs base and limit (PCI-to-PCI Bridge 1.2, 3.2.5.8 and 3.2.5.9). */
    private void openWindow(PciNode bridge, long base, long limit) {
        int window =
                limit < base
                        ? CLOSED_WINDOW
                        : (int) ((base >>> 16) & 0xfff0) | (int) (limit & 0xfff0_0000L);
        if (!high) {
            bridge.config().store32(MEMORY_WINDOW, window);
            return;
        }
        bridge.config().store32(PciScan.PREFETCHABLE_WINDOW, window);
        bridge.config().store32(PREFETCHABLE_BASE_HIGH, (int) (base >>> 32));
        bridge.config().store32(PREFETCHABLE_LIMIT_HIGH, (int) (limit >>> 32));
    }

    private static void decode(PciNode node) {
        node.bars().sort(Comparator.comparing(BarWindow::index));
        if (node.isBridge()) {
            int command = ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER;
            node.config().store16(ConfigSpace.COMMAND, command);
            node.children().forEach(PciPlacement::decode);
        } else if (!node.bars().isEmpty()) {
            node.config().store16(ConfigSpace.COMMAND, ConfigSpace.COMMAND_MEMORY);
        }
    }

    private static long align(long address, long bytes) {
        return Bits.roundUp(address, bytes);
    }
}
