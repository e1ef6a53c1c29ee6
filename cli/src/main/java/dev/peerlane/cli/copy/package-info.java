/** The commands that copy: {@code copy} and {@code cmb-copy}, with plans and receipts. */
@NullMarked
package dev.peerlane.cli.copy;

import org.jspecify.annotations.NullMarked;
