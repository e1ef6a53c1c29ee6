/**
 * Measures what devices do: a {@linkplain dev.peerlane.measure.LoadRun load} on one way between a
 * device and a memory, a {@linkplain dev.peerlane.measure.Bench bench} of such loads on all ways
 * with whole copies beside them, and {@linkplain dev.peerlane.measure.LitmusJob counts} of how
 * often a fence hands old bytes on. It knows no terminal and no form of output.
 */
@NullMarked
package dev.peerlane.measure;

import org.jspecify.annotations.NullMarked;
