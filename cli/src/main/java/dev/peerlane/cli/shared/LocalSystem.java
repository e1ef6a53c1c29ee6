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
 * The machine that the program runs on: no command reaches its files or system calls past this.
 *
 * @param root what stands for {@code /}: sysfs, procfs and what is kept until the next boot are
 *     below
 * @param kernel its system calls, asked for when they are needed
 * @param writer writes its sysfs
 */
public record LocalSystem(Path root, Supplier<Kernel> kernel, SystemWriter writer) {
    private static final Path REAL = Path.of("/");

    /** Returns this machine. */
    public static LocalSystem local() {
        return new LocalSystem(REAL, KernelCalls::instance, new LinuxWriter());
    }

    /** Returns where its sysfs and procfs are. */
    public SystemRoot systemRoot() {
        return root.equals(REAL) ? SystemRoot.LOCAL : SystemRoot.in(root);
    }

    /** Returns how its devices are opened. */
    VfioOptions options() {
        return VfioOptions.DEFAULTS.withSystem(systemRoot());
    }

    /** Returns the files that tell about its devices. */
    public SystemFiles files() {
        return SystemFiles.of(root);
    }

    public Binder binder() {
        return new Binder(kernel.get(), systemRoot(), writer);
    }

    /** Returns its NVMe functions; none where Linux shows no PCI functions. */
    public List<Drive> drives() {
        Path functions = systemRoot().sys().resolve("bus/pci/devices");
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(functions)) {
            return entries.iterator().hasNext() ? Inventory.read(systemRoot()) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }
}
