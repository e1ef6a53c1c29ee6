package dev.peerlane.vfio;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Request;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;

/** The objects behind a fake kernel's descriptors. */
public final class FakeNodes {
    static final int O_EXCL = 0x80;

    private FakeNodes() {}

    /** An object behind a descriptor. */
    public abstract static class Node {
        final String name;

        Node(String name) {
            this.name = name;
        }
    }

    static final class Container extends Node {
        FakeIoSpace space;
        final Set<Integer> groups = new TreeSet<>();

        Container() {
            super("container");
        }
    }

    static final class Group extends Node {
        final int number;
        Container container;

        Group(int number) {
            super("group " + number);
            this.number = number;
        }
    }

    static final class DeviceNode extends Node {
        final FakeDevice device;
        Iommufd bound;
        boolean attached;

        DeviceNode(FakeDevice device) {
            super("device " + device.bdf);
            this.device = device;
        }
    }

    static final class Iommufd extends Node {
        FakeIoSpace space;

        Iommufd() {
            super("iommufd");
        }
    }

    static final class DmaBufNode extends Node {
        final FakeDevice device;
        final int bar;
        final long offset;
        final long bytes;

        DmaBufNode(FakeDevice device, int bar, long offset, long bytes) {
            super("dma-buf");
            this.device = device;
            this.bar = bar;
            this.offset = offset;
            this.bytes = bytes;
        }
    }

    /** A file that a test has added. */
    public static class OtherFile extends Node {
        /** Result of open: 0, or a negated error number. */
        public long refusal;

        /** Result of an exclusive open: 0, or a negated error number. */
        public long exclusiveRefusal;

        public OtherFile(String name) {
            super(name);
        }

        protected long ioctl(Request request, MemorySegment argument) {
            return -Errno.ENOTTY;
        }

        long pread(MemorySegment target, long offset) {
            return -Errno.EINVAL;
        }
    }

    static final class Event extends Node {
        long count;

        Event() {
            super("event");
        }
    }
}
