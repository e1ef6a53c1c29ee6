/**
 * Moves data directly from one NVMe SSD to another over PCIe, through a controller memory buffer
 * (CMB) of one of them, with no copy in host memory.
 *
 * <p>A first program, on emulated drives. Real drives are named by their PCI address, such as
 * {@code 0000:01:00.0}:
 *
 * {@snippet :
 * try (Session session = Session.open("emu:ssd0", "emu:ssd1")) {
 *     Receipt receipt =
 *             session.copy(
 *                     Extent.parse("emu:ssd0@0+2048"),
 *                     Extent.parse("emu:ssd1"),
 *                     CopyOptions.DEFAULTS);
 *     System.out.println(receipt.bytesCopied() + " bytes, verified: " + receipt.verify().result());
 * }
 * }
 *
 * <p>Where to go next:
 *
 * <ul>
 *   <li>{@link dev.peerlane.Session} opens devices, plans a copy and runs it; {@link
 *       dev.peerlane.BackgroundCopy} runs it on a thread from the caller's factory, with progress
 *       and cancellation.
 *   <li>{@link dev.peerlane.nvme} is the driver: controllers, namespaces, queues with many commands
 *       in flight, and the CMB, whose buffers can be the data of any command on any controller of
 *       the fabric. When a Read into another device's memory completes, its data need not have
 *       arrived: wait for that with a {@link dev.peerlane.copy.ReadFence}.
 *   <li>{@link dev.peerlane.emulator} emulates drives, switches and faults for tests, in real or
 *       virtual time.
 *   <li>{@link dev.peerlane.EndpointProvider} adds endpoints of another kind.
 * </ul>
 *
 * <p><b>Start.</b> The library makes system calls and maps device memory, so start Java with {@code
 * --enable-native-access=ALL-UNNAMED}, or with {@code --enable-native-access=dev.peerlane} if the
 * library is on the module path. A heap of at most 2 GiB makes a command up to 15 % cheaper.
 *
 * <p><b>Threads.</b> A session and everything obtained from it belong to the thread that created
 * it. A call from another thread is refused before it has any effect. The library starts no threads
 * of its own.
 *
 * <p><b>Errors.</b> Every error that a user, a machine or a device can cause is a {@link
 * dev.peerlane.PeerlaneException} with a category, a stable code, a message that names the object
 * and the value, and a remedy. The receipt of a copy that stopped tells how far it got ({@link
 * dev.peerlane.copy.CopyException}).
 *
 * <p><b>Observation.</b> Java Flight Recorder receives the events {@code dev.peerlane.Copy}, {@code
 * dev.peerlane.CommandError} and {@code dev.peerlane.ControllerFault}; the system logger {@code
 * dev.peerlane.nvme} receives a warning if a controller fails.
 */
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
    exports dev.peerlane.copy.planning to
            dev.peerlane.measure;
    exports dev.peerlane.qtest to
            dev.peerlane.fabrics;
    exports dev.peerlane.spec.wire to
            dev.peerlane.fabrics;

    uses dev.peerlane.EndpointProvider;

    provides dev.peerlane.EndpointProvider with
            dev.peerlane.provider.EmulatorProvider,
            dev.peerlane.provider.VfioProvider,
            dev.peerlane.provider.VfioUserProvider;
}
