/** Peerlane: copies between NVMe SSDs over PCIe, through the memory of one of them. */
@SuppressWarnings("module") // names modules that are built after this one
module dev.peerlane {
    requires static transitive org.jspecify;
    requires java.management;
    requires jdk.jfr;

    exports dev.peerlane;
    exports dev.peerlane.block;
    exports dev.peerlane.copy;
    exports dev.peerlane.hal;
    exports dev.peerlane.nvme;
    exports dev.peerlane.pci;
    exports dev.peerlane.spec;
    exports dev.peerlane.emulator;
    exports dev.peerlane.emulator.model;
    exports dev.peerlane.emulator.watch;
    exports dev.peerlane.copy.engine to
            dev.peerlane.measure;
    exports dev.peerlane.qtest to
            dev.peerlane.fabrics;

    uses dev.peerlane.EndpointProvider;

    provides dev.peerlane.EndpointProvider with
            dev.peerlane.provider.EmulatorProvider,
            dev.peerlane.provider.VfioProvider,
            dev.peerlane.provider.VfioUserProvider;
}
