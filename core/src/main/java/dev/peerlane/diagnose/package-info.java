/**
 * Explains why peer-to-peer does or doesn't work on a machine, and what to change. It has snapshots
 * of this machine and captures of others, the checks of the doctor, and changes to Access Control
 * Services.
 *
 * <p>Verdicts on routes come from {@code dev.peerlane.pci} alone.
 */
@NullMarked
package dev.peerlane.diagnose;

import org.jspecify.annotations.NullMarked;
