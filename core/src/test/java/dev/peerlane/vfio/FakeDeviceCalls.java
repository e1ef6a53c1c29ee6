package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Request;
import dev.peerlane.vfio.FakeNodes.DeviceNode;
import dev.peerlane.vfio.FakeNodes.DmaBufNode;
import dev.peerlane.vfio.FakeNodes.Iommufd;
import java.lang.foreign.MemorySegment;

/** The requests to a device whose argument is a structure. */
final class FakeDeviceCalls {
    private FakeDeviceCalls() {}

    static long call(FakeKernel kernel, DeviceNode node, Request request, MemorySegment argument) {
        FakeDevice device = node.device;
        if (request.equals(VfioAbi.DEVICE_BIND_IOMMUFD)) {
            kernel.sized(argument, 16);
            node.bound = (Iommufd) kernel.open.get(argument.get(JAVA_INT, 8));
            return 0;
        }
        if (request.equals(VfioAbi.DEVICE_ATTACH_IOMMUFD_PT)) {
            kernel.sized(argument, 12);
            node.attached = node.bound != null && argument.get(JAVA_INT, 8) == FakeIommufd.IOAS;
            return node.attached ? 0 : -Errno.EINVAL;
        }
        if (request.equals(VfioAbi.DEVICE_FEATURE)) {
            return dmaBuf(kernel, device, argument);
        }
        if (request.equals(VfioAbi.DEVICE_GET_INFO)) {
            kernel.sized(argument, 20);
            argument.set(JAVA_INT, 4, device.flags);
            argument.set(JAVA_INT, 8, 9);
            argument.set(JAVA_INT, 12, 5);
            return 0;
        }
        if (request.equals(VfioAbi.DEVICE_GET_REGION_INFO)) {
            return FakeStructures.regionInfo(device, argument);
        }
        if (request.equals(VfioAbi.DEVICE_GET_IRQ_INFO)) {
            kernel.sized(argument, 16);
            argument.set(JAVA_INT, 4, 1);
            argument.set(JAVA_INT, 12, device.vectors);
            return 0;
        }
        if (request.equals(VfioAbi.DEVICE_SET_IRQS)) {
            return setIrqs(kernel, device, argument);
        }
        return -Errno.ENOTTY;
    }

    private static long setIrqs(FakeKernel kernel, FakeDevice device, MemorySegment set) {
        int count = set.get(JAVA_INT, 16);
        int flags = set.get(JAVA_INT, 4);
        kernel.sized(set, 20 + (flags == 0x24 ? 4 * count : 0));
        if (set.get(JAVA_INT, 8) != 2 || count > device.vectors) {
            return -Errno.EINVAL;
        }
        if (flags == 0x21 && count == 0) {
            kernel.triggers.remove(System.identityHashCode(device));
            return 0;
        }
        int[] events = new int[count];
        for (int i = 0; i < count; i++) {
            events[i] = set.get(JAVA_INT, 20 + 4L * i);
        }
        kernel.triggers.put(System.identityHashCode(device), events);
        return flags == 0x24 ? 0 : -Errno.EINVAL;
    }

    private static long dmaBuf(FakeKernel kernel, FakeDevice device, MemorySegment feature) {
        kernel.sized(feature, 40);
        boolean well =
                feature.get(JAVA_INT, 4) == ((1 << 16) | 11)
                        && feature.get(JAVA_INT, 16) == 0
                        && feature.get(JAVA_INT, 20) == 1;
        if (!kernel.dmaBufs) {
            return -Errno.ENOTTY;
        }
        if (!well || !device.decodes()) {
            return -Errno.EINVAL;
        }
        return kernel.add(
                new DmaBufNode(
                        device,
                        feature.get(JAVA_INT, 8),
                        feature.get(JAVA_LONG, 24),
                        feature.get(JAVA_LONG, 32)));
    }
}
