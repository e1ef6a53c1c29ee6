/**
 * How bytes get from a function to memory: at once, or as packets in virtual time, over routes with
 * queues, and with whatever is planned to go wrong on the way.
 *
 * <p>Controllers send and ask by {@code Interconnect}. The fabric makes one of its two kinds, moves
 * the time of packets on, and brings the host's loads and stores by {@code HostAccess}.
 */
@NullMarked
package dev.peerlane.emulator.bus;

import org.jspecify.annotations.NullMarked;
