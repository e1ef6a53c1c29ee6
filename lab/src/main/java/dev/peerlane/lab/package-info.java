/** Starts QEMU machines with NVMe controllers that nobody here wrote, for system tests. */
@NullMarked
package dev.peerlane.lab;

import org.jspecify.annotations.NullMarked;
