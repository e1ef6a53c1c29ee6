/**
 * Measures what devices do: a {@linkplain dev.peerlane.measure.LoadRun load} in one direction
 * between a device and a memory, a {@linkplain dev.peerlane.measure.Bench bench} of such loads in
 * all directions with whole copies beside them, and {@linkplain dev.peerlane.measure.LitmusJob
 * counts} of how often a fence hands on old bytes. Independent of the terminal and of any output
 * format.
 */
@NullMarked
package dev.peerlane.measure;

import org.jspecify.annotations.NullMarked;
