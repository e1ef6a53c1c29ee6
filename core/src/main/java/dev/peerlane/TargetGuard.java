package dev.peerlane;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.guard.Signature;
import dev.peerlane.guard.Signatures;
import java.util.List;
import java.util.stream.Collectors;

/** Refuses to write to a namespace that carries a partition table, a file system or the like. */
final class TargetGuard {
    private TargetGuard() {}

    /**
     * Looks at a target, whatever range of it is to be written: a range may lie in the middle of a
     * file system. Reads into host memory, and writes nothing.
     *
     * @param how how long a command may take, and how often it is tried again
     * @throws PeerlaneException of category REFUSED if something was found, of category IO if a
     *     block in which a signature could be can't be read
     */
    static void check(Endpoints endpoints, Extent target, CopyOptions how) {
        Endpoint endpoint = endpoints.endpoint(target, 1);
        List<Signature> found;
        try (PortBytes bytes =
                new PortBytes(endpoint.port(), endpoints.hostMemory(), endpoints.clock(), how)) {
            found = Signatures.find(bytes);
        }
        if (!found.isEmpty()) {
            throw PeerlaneException.refused(
                            "target-carries-data",
                            "%s carries %s"
                                    .formatted(
                                            endpoint.name(),
                                            found.stream()
                                                    .map(Signature::toString)
                                                    .collect(Collectors.joining(" and "))),
                            "Name another target, or allow to write over what it carries")
                    .with("target", endpoint.name());
        }
    }
}
