/**
 * The system calls that devices need, behind {@link dev.peerlane.linux.Kernel} so that every error
 * path can be tested. The only package that holds a {@link java.lang.foreign.Linker}. Knows nothing
 * of PCI or NVMe.
 */
@NullMarked
package dev.peerlane.linux;

import org.jspecify.annotations.NullMarked;
