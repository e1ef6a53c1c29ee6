/**
 * The copy: a {@linkplain dev.peerlane.p2p.CopyRequest request} becomes a {@linkplain
 * dev.peerlane.p2p.CopyPlan plan} (which memory carries the data, by which route, with what fence),
 * a {@linkplain dev.peerlane.p2p.CopyJob job} runs it and leaves a {@linkplain
 * dev.peerlane.p2p.Receipt receipt}. It sees ports and memory, no driver.
 */
@NullMarked
package dev.peerlane.p2p;

import org.jspecify.annotations.NullMarked;
