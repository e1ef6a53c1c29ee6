package dev.peerlane.binding;

import dev.peerlane.pci.sysfs.SysfsFunction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds what the machine needs a function for, apart from its block devices ({@link BlockUse}):
 * networks, the console, USB devices, virtual functions. A state that can't be read counts as in
 * use.
 */
final class FunctionUse {
    private static final int MAX_ENTRIES = 4096;
    private static final int IFF_UP = 1;
    private static final int BASE_CLASS_NETWORK = 0x02;
    private static final Pattern VIRTIO = Pattern.compile("virtio\\d+");
    private static final Pattern CARD = Pattern.compile("card\\d+");
    private static final Pattern USB_BUS = Pattern.compile("usb\\d+");
    private static final Pattern USB_DEVICE = Pattern.compile("\\d+-[\\d.]+");

    private final Path directory;
    private final List<String> reasons = new ArrayList<>();

    private FunctionUse(Path directory) {
        this.directory = directory;
    }

    /** Returns why a function can't be taken, one sentence each. */
    static List<String> reasons(Path sys, SysfsFunction function) {
        FunctionUse use = new FunctionUse(FunctionFolder.of(sys, function));
        use.networks(function);
        use.displays();
        use.usb();
        use.virtualFunctions();
        return List.copyOf(use.reasons);
    }

    private static List<Path> entries(Path folder) {
        return KernelFiles.entries(folder, MAX_ENTRIES);
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    /**
     * Returns a function's class folders. Those of a virtio function are below its virtio device.
     */
    private List<Path> of(String kind) {
        List<Path> found = new ArrayList<>(entries(directory.resolve(kind)));
        for (Path carried : entries(directory)) {
            if (VIRTIO.matcher(name(carried)).matches()) {
                found.addAll(entries(carried.resolve(kind)));
            }
        }
        return found;
    }

    private void networks(SysfsFunction function) {
        List<Path> networks = of("net");
        boolean card = function.function().classCode() >>> 16 == BASE_CLASS_NETWORK;
        if (networks.isEmpty() && card && function.driver() != null) {
            // sysfs shows only the interfaces of the network namespace it was mounted in
            reasons.add(
                    "no network interface of it is visible: it may be in another network"
                            + " namespace");
        }
        for (Path network : networks) {
            String called = "its network interface " + name(network);
            Long flags = number(KernelFiles.text(network.resolve("flags")));
            if (flags == null) {
                reasons.add("it is unknown whether " + called + " is up");
            } else if ((flags & IFF_UP) != 0) {
                reasons.add(called + " is up");
            }
        }
    }

    private void displays() {
        if ("1".equals(KernelFiles.text(directory.resolve("boot_vga")))) {
            reasons.add("it is the display of the console (boot_vga)");
        }
        for (Path card : of("drm")) {
            if (!CARD.matcher(name(card)).matches()) {
                continue;
            }
            for (Path connector : entries(card)) {
                if ("enabled".equals(KernelFiles.text(connector.resolve("enabled")))) {
                    reasons.add("a screen is on at " + name(connector));
                }
            }
        }
    }

    private void usb() {
        for (Path bus : entries(directory)) {
            if (!USB_BUS.matcher(name(bus)).matches()) {
                continue;
            }
            for (Path device : entries(bus)) {
                if (USB_DEVICE.matcher(name(device)).matches()) {
                    String product = KernelFiles.text(device.resolve("product"));
                    reasons.add(
                            "the USB device %s%s is attached to it"
                                    .formatted(
                                            name(device),
                                            product == null ? "" : " (" + product + ")"));
                }
            }
        }
    }

    private void virtualFunctions() {
        String text = KernelFiles.text(directory.resolve("sriov_numvfs"));
        if (text != null && !text.equals("0")) {
            reasons.add("it has " + text + " virtual functions (sriov_numvfs)");
        }
    }

    private static @Nullable Long number(@Nullable String text) {
        try {
            return text == null ? null : Long.decode(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
