/**
 * Plans copies: whether a memory may carry one ({@linkplain dev.peerlane.copy.planning.Fitness the
 * rule}), into which slots it is cut, and which memory is the best.
 */
@NullMarked
package dev.peerlane.copy.planning;

import org.jspecify.annotations.NullMarked;
