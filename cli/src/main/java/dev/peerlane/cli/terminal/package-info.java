/**
 * What stands between the program and a person: streams, signals and the wish to stop, progress,
 * tables, sizes. It knows no command and no device.
 */
@NullMarked
package dev.peerlane.cli.terminal;

import org.jspecify.annotations.NullMarked;
