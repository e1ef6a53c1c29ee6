/** The command {@code bench}: figures as text, as CSV and as a report with charts. */
@NullMarked
package dev.peerlane.cli.bench;

import org.jspecify.annotations.NullMarked;
