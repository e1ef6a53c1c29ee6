/**
 * The front of the library: sessions and the names of devices and blocks, the providers that open
 * endpoints, and the errors that every package throws.
 */
@NullMarked
package dev.peerlane;

import org.jspecify.annotations.NullMarked;
