/**
 * Finds what forbids a write: signatures of partition tables, file systems and the like on a
 * target.
 */
@NullMarked
package dev.peerlane.guard;

import org.jspecify.annotations.NullMarked;
