/**
 * The API of a copy: a {@linkplain dev.peerlane.copy.CopyRequest request} with its options becomes
 * a {@linkplain dev.peerlane.copy.CopyPlan plan} (which memory carries the data, by which route,
 * with which fence, and why). While it runs there are progress and cancellation, and in the end a
 * {@linkplain dev.peerlane.copy.Receipt receipt}. Nothing here moves data; {@code
 * dev.peerlane.copy.engine} does, and this package does not depend on it.
 */
@NullMarked
package dev.peerlane.copy;

import org.jspecify.annotations.NullMarked;
