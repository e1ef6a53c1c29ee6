/** What every package may use: the error family and bit fields. */
@NullMarked
package dev.peerlane;

import org.jspecify.annotations.NullMarked;
