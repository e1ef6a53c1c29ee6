/**
 * Code that commands share: the machine they run on, common options, opening devices, errors and
 * their remedies, JSON. It depends on no command.
 */
@NullMarked
package dev.peerlane.cli.shared;

import org.jspecify.annotations.NullMarked;
