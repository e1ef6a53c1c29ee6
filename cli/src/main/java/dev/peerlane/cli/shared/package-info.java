/**
 * What commands have in common: the machine they run on, options of several of them, opening of
 * devices, errors and what to type about them, JSON. It knows no command.
 */
@NullMarked
package dev.peerlane.cli.shared;

import org.jspecify.annotations.NullMarked;
