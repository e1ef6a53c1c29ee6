/**
 * Makes the system calls for driving devices. The interface {@link dev.peerlane.linux.Kernel} lets
 * tests reach every error path. This is the only package with a {@link java.lang.foreign.Linker},
 * and it knows nothing of PCI or NVMe.
 */
@NullMarked
package dev.peerlane.linux;

import org.jspecify.annotations.NullMarked;
