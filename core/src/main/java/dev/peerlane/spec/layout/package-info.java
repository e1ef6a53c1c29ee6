/** Code that all structures of the wire format share: layouts and small conversions. */
@NullMarked
package dev.peerlane.spec.layout;

import org.jspecify.annotations.NullMarked;
