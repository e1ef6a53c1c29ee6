package dev.peerlane.copy;

/** How a copy is checked. */
public enum VerifyMode {
    /** Without host memory where that is sound, else through host memory, and said. */
    AUTO,
    /** Without host memory, or refused. */
    PEER,
    /** Both sides are read into host memory and compared there. */
    HOST,
    /** Not at all. */
    NONE
}
