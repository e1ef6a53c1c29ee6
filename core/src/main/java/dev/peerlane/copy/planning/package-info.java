/**
 * Plans copies: whether a memory may carry one ({@linkplain dev.peerlane.copy.planning.Fitness the
 * rule}), how it is cut into slots, and which memory is best.
 */
@NullMarked
package dev.peerlane.copy.planning;

import org.jspecify.annotations.NullMarked;
