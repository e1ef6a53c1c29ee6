/**
 * Reads a machine from the files by which Linux describes it, or from a tree of files like them.
 */
@NullMarked
package dev.peerlane.pci.sysfs;

import org.jspecify.annotations.NullMarked;
