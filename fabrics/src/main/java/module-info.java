/** Reads fabric files: descriptions of emulated fabrics and of running QEMUs, in YAML. */
module dev.peerlane.fabrics {
    requires transitive dev.peerlane;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.dataformat.yaml;

    exports dev.peerlane.fabrics;

    provides dev.peerlane.EndpointProvider with
            dev.peerlane.fabrics.FabricFileProvider;
}
