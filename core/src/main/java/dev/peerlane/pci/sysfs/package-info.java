/** Reads a machine from the files in which Linux describes it, or from a copy of such files. */
@NullMarked
package dev.peerlane.pci.sysfs;

import org.jspecify.annotations.NullMarked;
