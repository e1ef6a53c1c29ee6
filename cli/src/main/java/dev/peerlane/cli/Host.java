package dev.peerlane.cli;

import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.vfio.Binder;
import dev.peerlane.vfio.SystemWriter;
import dev.peerlane.vfio.VfioOptions;
import java.util.function.Supplier;

/**
 * The machine whose functions are listed and bound.
 *
 * @param options where its sysfs and procfs are
 * @param kernel its system calls, asked for when they are needed
 * @param writer writes its sysfs
 */
record Host(VfioOptions options, Supplier<Kernel> kernel, SystemWriter writer) {
    /** Returns this machine. */
    static Host local() {
        return new Host(VfioOptions.DEFAULTS, KernelCalls::instance, SystemWriter.real());
    }

    Binder binder() {
        return new Binder(kernel.get(), options, writer);
    }
}
