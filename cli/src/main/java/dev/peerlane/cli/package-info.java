/**
 * The program {@code peerlane}: its process, its arguments and the choice of a command. Each
 * command is in a package with others of its subject, and all follow one pattern: the command has
 * the options and the flow, an action does the work, a document holds the result, and a view shows
 * the result as text or as a picture. Code that all of them share is in {@code shared} and {@code
 * terminal}, which depend on no command.
 */
@NullMarked
package dev.peerlane.cli;

import org.jspecify.annotations.NullMarked;
