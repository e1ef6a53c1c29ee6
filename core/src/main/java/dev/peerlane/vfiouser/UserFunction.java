package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A function behind a vfio-user socket. It stays connected until its fabric is closed. */
final class UserFunction implements AutoCloseable {
    private static final int BARS = 6;
    private static final int BAR_IO = 1;
    private static final int BAR_64_BIT = 4;

    private final String locator;
    private final Bdf bdf;
    private final ServerLink link;
    private final List<UserRegion> regions = new ArrayList<>();
    private final List<UserBar> bars = new ArrayList<>();
    private UserConfig config;
    private boolean resets;

    /** Connects, reads the device's description, and assigns addresses to its BARs. */
    UserFunction(
            String locator, Path path, Bdf bdf, Clock clock, long timeoutNanos, Addresses places) {
        this.locator = locator;
        this.bdf = bdf;
        // a server that was given a folder creates its socket in it
        Path socket = Files.isDirectory(path) ? path.resolve(VfioUserFabric.SOCKET_NAME) : path;
        link = ServerLink.connect(locator, socket.toString(), clock, timeoutNanos);
        config = new UserConfig(link, 0);
        try {
            start(places);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void start(Addresses places) {
        MemorySegment body = link.outgoing();
        body.asSlice(0, Protocol.INFO_BYTES).fill((byte) 0);
        body.set(JAVA_INT_UNALIGNED, 0, Protocol.INFO_BYTES);
        MemorySegment info =
                link.call(Protocol.DEVICE_GET_INFO, Protocol.INFO_BYTES, Protocol.INFO_BYTES);
        int flags = info.get(JAVA_INT_UNALIGNED, 4);
        int count = info.get(JAVA_INT_UNALIGNED, 8);
        if ((flags & Protocol.DEVICE_PCI) == 0 || count <= Protocol.CONFIG_REGION) {
            throw Protocol.violation(
                    locator, "a device with flags %xh and %d regions".formatted(flags, count));
        }
        resets = (flags & Protocol.DEVICE_RESETS) != 0;
        for (int index = 0; index < BARS; index++) {
            regions.add(UserRegion.ask(link, locator, index));
        }
        UserRegion space = UserRegion.ask(link, locator, Protocol.CONFIG_REGION);
        regions.add(space);
        config = new UserConfig(link, space.sizeBytes());
        for (int index = 0; index < BARS; index++) {
            UserRegion region = regions.get(index);
            int low = config.load32(ConfigSpace.BAR0 + 4 * index);
            if (region.sizeBytes() == 0 || (low & BAR_IO) != 0) {
                continue;
            }
            boolean wide = (low & BAR_64_BIT) != 0;
            long address = places.take(locator, index, region.sizeBytes(), wide);
            bars.add(new UserBar(link, locator, region, address));
        }
        List<UserRegion> unsafe = regions.stream().filter(UserRegion::canShrink).toList();
        if (!unsafe.isEmpty()) {
            link.watch(() -> isWhole(unsafe));
        }
        place();
        link.inUse();
    }

    private static boolean isWhole(List<UserRegion> regions) {
        for (UserRegion region : regions) {
            if (region.isShortened()) {
                return false;
            }
        }
        return true;
    }

    /** Writes the addresses of the BARs and enables memory decoding. */
    private void place() {
        busMaster(false);
        for (UserBar bar : bars) {
            int at = ConfigSpace.BAR0 + 4 * bar.index();
            boolean wide = (config.load32(at) & BAR_64_BIT) != 0;
            config.store32(at, (int) bar.pciAddress());
            if (wide) {
                config.store32(at + 4, (int) (bar.pciAddress() >>> 32));
            }
        }
        int command = config.load16(ConfigSpace.COMMAND);
        config.store16(ConfigSpace.COMMAND, command | ConfigSpace.COMMAND_MEMORY);
    }

    void busMaster(boolean enabled) {
        int command = config.load16(ConfigSpace.COMMAND);
        config.store16(ConfigSpace.COMMAND, ConfigSpace.withBusMaster(command, enabled));
    }

    /** Resets the function. Returns false if it supports no reset. */
    boolean reset() {
        if (resets && !link.isDead()) {
            link.call(Protocol.DEVICE_RESET, 0, 0);
            place();
        }
        return resets;
    }

    String locator() {
        return locator;
    }

    Bdf bdf() {
        return bdf;
    }

    ServerLink link() {
        return link;
    }

    UserConfig config() {
        return config;
    }

    List<UserBar> bars() {
        return bars;
    }

    PciFunction snapshot() {
        return new PciFunction(
                bdf,
                null,
                PciFunction.Kind.ENDPOINT,
                config.load16(ConfigSpace.VENDOR_ID),
                config.load16(ConfigSpace.DEVICE_ID),
                config.classCode(),
                Acs.of(config),
                PciFunction.relaxedOrderingOf(config),
                bars.stream()
                        .map(b ->
                                new PciFunction.BarWindow(b.index(), b.pciAddress(), b.sizeBytes()))
                        .toList(),
                locator);
    }

    @Override
    public void close() {
        link.close();
        bars.forEach(UserBar::close);
        regions.forEach(UserRegion::close);
        regions.clear();
    }

    /** Allocates bus addresses for BARs, each aligned to its length, above those of memory. */
    static final class Addresses {
        private static final long LOW_END = 1L << 32;
        private static final long HIGH_END = 1L << 46;

        private long low = 0xc000_0000L;
        private long high = BusAddresses.LIMIT;

        long take(String locator, int index, long bytes, boolean wide) {
            long end = wide ? HIGH_END : LOW_END;
            long size = bytes > end ? end : Long.highestOneBit(2 * bytes - 1);
            size = Math.max(Protocol.PAGE_BYTES, size);
            long address = Bits.roundUp(wide ? high : low, size);
            if (address > end - size) {
                throw PeerlaneException.machine(
                        "no-bus-addresses",
                        "there is no place on the bus for BAR %d of %s, which has %d bytes"
                                .formatted(index, locator, bytes),
                        "Use fewer devices, or devices with smaller BARs");
            }
            if (wide) {
                high = address + size;
            } else {
                low = address + size;
            }
            return address;
        }
    }
}
