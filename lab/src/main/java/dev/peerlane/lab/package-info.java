/**
 * Starts QEMU machines, whose NVMe controllers are independent of this project, for system tests.
 */
@NullMarked
package dev.peerlane.lab;

import org.jspecify.annotations.NullMarked;
