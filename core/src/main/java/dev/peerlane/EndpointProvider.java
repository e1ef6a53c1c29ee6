package dev.peerlane;

/**
 * A backend: opens the endpoints of one kind of locators. Providers that {@link
 * java.util.ServiceLoader} finds are asked by {@link Fabrics#installed}; others are given to {@link
 * Fabrics#asking}. A provider has no state of its own and is used by any thread.
 *
 * <p>An endpoint need not be a namespace of an NVMe controller: what a copy needs of it is a port,
 * its geometry, and the memories beside it ({@link Endpoints}).
 */
public interface EndpointProvider {
    /** Returns whether it is the one that opens this. Looks at names only, and opens nothing. */
    boolean opens(OpenRequest request);

    /**
     * Opens the place where the named devices are. The calling thread owns it.
     *
     * @throws PeerlaneException of category REQUEST if the request can't be right, of category
     *     MACHINE if this machine can't do it; then nothing stays open
     */
    Endpoints open(OpenRequest request);
}
