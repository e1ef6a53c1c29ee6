/**
 * What forbids a write: the signatures of partition tables, file systems and the like that a target
 * carries.
 */
@NullMarked
package dev.peerlane.guard;

import org.jspecify.annotations.NullMarked;
