/** Layouts of the wire format and small conversions: what all of its structures share. */
@NullMarked
package dev.peerlane.spec.layout;

import org.jspecify.annotations.NullMarked;
