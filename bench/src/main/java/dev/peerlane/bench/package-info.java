/**
 * Measures the driver's cost: JMH benchmarks, and pairs of Java and C programs that do the same
 * work.
 */
@NullMarked
package dev.peerlane.bench;

import org.jspecify.annotations.NullMarked;
