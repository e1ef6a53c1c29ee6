/**
 * Why peer-to-peer does or doesn't work on a machine, and what to change: snapshots of this machine
 * and captures of others, the checks of the doctor, and changes to Access Control Services.
 *
 * <p>Verdicts on routes are those of {@code dev.peerlane.pci}; nothing here has an opinion of its
 * own on them.
 */
@NullMarked
package dev.peerlane.diagnose;

import org.jspecify.annotations.NullMarked;
