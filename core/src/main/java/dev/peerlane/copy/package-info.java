/**
 * What a user says and gets of a copy: a {@linkplain dev.peerlane.copy.CopyRequest request} with
 * its options becomes a {@linkplain dev.peerlane.copy.CopyPlan plan} (which memory carries the
 * data, by which route, with what fence, and why), progress and cancellation while it runs, and a
 * {@linkplain dev.peerlane.copy.Receipt receipt}. Nothing here moves a byte: that is done in {@code
 * dev.peerlane.copy.engine}, which uses these types and of which nothing here knows.
 */
@NullMarked
package dev.peerlane.copy;

import org.jspecify.annotations.NullMarked;
