/** What the driver costs: JMH benchmarks, and pairs of Java and C that do the same work. */
@NullMarked
package dev.peerlane.bench;

import org.jspecify.annotations.NullMarked;
