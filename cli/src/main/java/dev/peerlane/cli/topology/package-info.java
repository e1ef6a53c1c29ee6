/** The command {@code topology}: the PCIe tree and its verdicts, as text and as a picture. */
@NullMarked
package dev.peerlane.cli.topology;

import org.jspecify.annotations.NullMarked;
