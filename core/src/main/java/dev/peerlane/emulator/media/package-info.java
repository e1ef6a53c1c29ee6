/**
 * The namespaces of a drive and the media behind them, in memory or in files.
 *
 * <p>Used by the package {@code controller}, whose commands read and write {@code Media}.
 */
@NullMarked
package dev.peerlane.emulator.media;

import org.jspecify.annotations.NullMarked;
