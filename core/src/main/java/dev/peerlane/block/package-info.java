/**
 * The interface between the copy engine and drivers: ports that move blocks between a namespace and
 * slots of memory, and the memory that slots are made of. The copy engine uses these types and no
 * driver.
 */
@NullMarked
package dev.peerlane.block;

import org.jspecify.annotations.NullMarked;
