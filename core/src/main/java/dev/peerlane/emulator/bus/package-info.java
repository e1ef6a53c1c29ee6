/**
 * Moves bytes between functions and memory: at once, or as packets in virtual time, over routes
 * with queues, with planned faults on the way.
 *
 * <p>Controllers use {@code Interconnect}. The fabric makes one of its two kinds, advances the time
 * of packets, and sends the host's loads and stores through {@code HostAccess}.
 */
@NullMarked
package dev.peerlane.emulator.bus;

import org.jspecify.annotations.NullMarked;
