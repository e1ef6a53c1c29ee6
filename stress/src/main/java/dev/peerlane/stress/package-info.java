/**
 * The pairs of stores and loads that cross threads or processes, under jcstress: completion entries
 * and their phase bit, submission entries and their doorbell, places of a ring that are used again,
 * and the page of doorbells of a served drive.
 */
@NullMarked
package dev.peerlane.stress;

import org.jspecify.annotations.NullMarked;
