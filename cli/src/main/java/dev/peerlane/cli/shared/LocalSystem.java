package dev.peerlane.cli.shared;

import dev.peerlane.binding.Binder;
import dev.peerlane.binding.Inventory;
import dev.peerlane.binding.Inventory.Drive;
import dev.peerlane.binding.LinuxWriter;
import dev.peerlane.binding.SystemWriter;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.sysfs.SystemFiles;
import dev.peerlane.vfio.VfioOptions;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/**
 * The machine that the program runs on. Commands access its files and system calls only through
 * this.
 *
 * @param root the directory used as {@code /}; sysfs, procfs and state kept until the next boot are
 *     below it
 * @param kernel its system calls, obtained when needed
 * @param writer writes its sysfs
 */
public record LocalSystem(Path root, Supplier<Kernel> kernel, SystemWriter writer) {
    private static final Path REAL = Path.of("/");

    /** Returns this machine. */
    public static LocalSystem local() {
        return new LocalSystem(REAL, KernelCalls::instance, new LinuxWriter());
    }

    /** Returns the root of its sysfs and procfs. */
    public SystemRoot systemRoot() {
        return root.equals(REAL) ? SystemRoot.LOCAL : SystemRoot.in(root);
    }

    /** Returns how its devices are opened. */
    VfioOptions options() {
        return VfioOptions.DEFAULTS.withSystem(systemRoot());
    }

    /** Returns the files that describe its devices. */
    public SystemFiles files() {
        return SystemFiles.of(root);
    }

    public Binder binder() {
        return new Binder(kernel.get(), systemRoot(), writer);
    }

    /** Returns its NVMe functions; empty if Linux shows no PCI functions. */
    public List<Drive> drives() {
        Path functions = systemRoot().sys().resolve("bus/pci/devices");
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(functions)) {
            return entries.iterator().hasNext() ? Inventory.read(systemRoot()) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }
}
