package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;

/** A command that prints its own document format even if it did not run. */
public interface OwnRefusal {
    /** Returns the document that says why nothing was done. */
    Object refused(PeerlaneException why);

    /** Returns the document that says that a bug ended the command. */
    Object failed(PeerlaneException why);
}
