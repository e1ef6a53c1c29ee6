/**
 * What a user of the library meets first: sessions and what they name, providers of endpoints, and
 * the errors that every package throws.
 */
@NullMarked
package dev.peerlane;

import org.jspecify.annotations.NullMarked;
