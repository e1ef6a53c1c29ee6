/**
 * Runs copies; {@link dev.peerlane.copy.engine.CopyJob} is the entry point. Slots go through a
 * pipeline and are held back by fences; the result is verified, and what was in flight is wound
 * down. The engine sees ports and memory, but no driver.
 */
@NullMarked
package dev.peerlane.copy.engine;

import org.jspecify.annotations.NullMarked;
