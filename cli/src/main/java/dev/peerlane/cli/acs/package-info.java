/** The command {@code acs}: Access Control Services of bridges. */
@NullMarked
package dev.peerlane.cli.acs;

import org.jspecify.annotations.NullMarked;
