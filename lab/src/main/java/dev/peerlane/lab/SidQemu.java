package dev.peerlane.lab;

import dev.peerlane.PeerlaneException;
import java.util.ArrayList;
import java.util.List;

/** The QEMU of Debian sid, which is newer than the machine's and not installed. */
final class SidQemu {
    private SidQemu() {}

    /**
     * Returns the start of a command line that runs it with its own libraries and firmware.
     *
     * @throws PeerlaneException if it is not in the cache and sid can't be reached
     */
    static List<String> command() {
        DebianRoot root = PackageIndex.sid().rootWith("qemu-system-x86");
        List<String> command = new ArrayList<>(root.command("usr/bin/qemu-system-x86_64"));
        for (String firmware : List.of("usr/share/qemu", "usr/share/seabios")) {
            command.add("-L"); // it can't find them by its own path, because that is the loader's
            command.add(root.folder().resolve(firmware).toString());
        }
        return List.copyOf(command);
    }
}
