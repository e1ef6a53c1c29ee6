/**
 * Moves data straight from one NVMe SSD to another over PCIe, through memory of one of them (its
 * controller memory buffer, CMB), with no copy in host memory.
 *
 * <p>A first program, on emulated drives; real ones are named by their PCI address, such as {@code
 * 0000:01:00.0}:
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
 * <p>Where to go on:
 *
 * <ul>
 *   <li>{@link dev.peerlane.Session} opens devices, plans a copy and runs it; {@link
 *       dev.peerlane.BackgroundCopy} runs it on a thread of the caller's factory, with progress and
 *       a way to stop it.
 *   <li>{@link dev.peerlane.nvme} is the driver: controllers, namespaces, queues with many commands
 *       in flight, and the CMB, whose buffers can be the data of any command on any controller of
 *       the fabric. The completion of a Read into another device's memory does not say that the
 *       data has arrived: {@link dev.peerlane.copy.ReadFence} does.
 *   <li>{@link dev.peerlane.emulator} has drives, switches and faults for tests, in virtual time if
 *       wanted.
 *   <li>{@link dev.peerlane.EndpointProvider} is how endpoints of another kind come in.
 * </ul>
 *
 * <p><b>Start.</b> The library calls the kernel and maps device memory, so Java is started with
 * {@code --enable-native-access=ALL-UNNAMED}, or {@code =dev.peerlane} where the library is on the
 * module path. A heap of at most 2 GiB makes a command up to 15 % cheaper.
 *
 * <p><b>Threads.</b> A session and everything that comes from it belong to the thread that made it;
 * calls of others are refused before they do anything. The library starts no thread of its own.
 *
 * <p><b>Errors.</b> Whatever a user, a machine or a device can cause is a {@link
 * dev.peerlane.PeerlaneException} with a category, a code that stays, a message that names the
 * object and the value, and a remedy. A copy that stopped has a receipt of how far it came ({@link
 * dev.peerlane.copy.CopyException}).
 *
 * <p><b>What goes on.</b> Java Flight Recorder gets the events {@code dev.peerlane.Copy}, {@code
 * dev.peerlane.CommandError} and {@code dev.peerlane.ControllerFault}; the system logger {@code
 * dev.peerlane.nvme} a warning for a controller that fails.
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
