/**
 * Runs copies: {@link dev.peerlane.copy.engine.CopyJob} is the way in. Slots go through a pipeline,
 * held back by fences; the result is verified, and what was in flight is wound down. It sees ports
 * and memory, no driver.
 */
@NullMarked
package dev.peerlane.copy.engine;

import org.jspecify.annotations.NullMarked;
