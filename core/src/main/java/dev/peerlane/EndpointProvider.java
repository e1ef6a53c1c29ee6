package dev.peerlane;

/**
 * A backend, which opens the endpoints that one kind of locator names. {@link Fabrics#installed}
 * asks the providers that {@link java.util.ServiceLoader} finds; {@link Fabrics#asking} adds one by
 * hand. A provider has no state and may be used by any thread.
 *
 * <p>An endpoint need not be an NVMe namespace: a copy needs a port, its geometry, and the memories
 * beside it ({@link Endpoints}).
 */
public interface EndpointProvider {
    /** Returns whether this provider handles the request. Looks at names only and opens nothing. */
    boolean opens(OpenRequest request);

    /**
     * Opens the fabric of the named devices. The calling thread becomes its owner.
     *
     * @throws PeerlaneException of category REQUEST if the request is invalid, or of category
     *     MACHINE if this machine can't open the devices; nothing stays open then
     */
    Endpoints open(OpenRequest request);
}
