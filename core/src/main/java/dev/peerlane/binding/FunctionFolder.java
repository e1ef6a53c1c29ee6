package dev.peerlane.binding;

import dev.peerlane.pci.sysfs.SysfsFunction;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Locates the folders of a function in sysfs. */
final class FunctionFolder {
    private FunctionFolder() {}

    /** Returns the folder of a function. */
    static Path of(Path sys, SysfsFunction function) {
        return sys.resolve("bus/pci/devices").resolve(function.bdf().toString());
    }

    /** Returns the folder of a function's controller while the nvme driver has it, or null. */
    static @Nullable Path controller(Path sys, SysfsFunction function) {
        return KernelFiles.entries(of(sys, function).resolve("nvme")).stream()
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(null);
    }
}
