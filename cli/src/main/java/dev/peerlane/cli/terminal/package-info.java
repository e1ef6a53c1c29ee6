/**
 * The user interface on a terminal: streams, signals, requests to stop, progress, tables and sizes.
 * It depends on no command and no device.
 */
@NullMarked
package dev.peerlane.cli.terminal;

import org.jspecify.annotations.NullMarked;
