/**
 * Parts that backends and the driver are made of: who owns a fabric, a clock that spins, doorbells
 * in mapped memory, runs of pages, a fabric that forwards to another, and what a touch of lost
 * memory becomes.
 */
@NullMarked
package dev.peerlane.hal.parts;

import org.jspecify.annotations.NullMarked;
