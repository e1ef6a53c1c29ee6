package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;

/** A command that prints its own document format even if it did not run. */
public interface OwnRefusal {
    /** Returns the document for a refusal. */
    Object refused(PeerlaneException why);

    /** Returns the document for a command that a bug ended. */
    Object failed(PeerlaneException why);
}
