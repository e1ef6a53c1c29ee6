/**
 * The program {@code peerlane}: its process, its arguments, and which command they start. Each
 * command is in a room with others of its subject, and keeps one order there: the command has the
 * options and the flow, an action does what it is about, a document holds what came of it, and a
 * view shows that as text or as a picture. What all rooms use is in {@code shared} and {@code
 * terminal}, which know none of them.
 */
@NullMarked
package dev.peerlane.cli;

import org.jspecify.annotations.NullMarked;
