package dev.peerlane.spec.wire;

import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.layout.Wire;

/**
 * Values of CNS, Controller or Namespace Structure: what Identify returns (NVMe Base 2.0, 5.17.1).
 */
public final class Cns {
    /** Identify Namespace, {@link IdentifyNamespace}. */
    public static final int NAMESPACE = 0x00;

    /** Identify Controller, {@link IdentifyController}. */
    public static final int CONTROLLER = 0x01;

    /** Active Namespace ID list, {@link NamespaceList}. */
    public static final int ACTIVE_NAMESPACES = 0x02;

    /** Namespace Identification Descriptor list, {@link NamespaceDescriptors}. */
    public static final int NAMESPACE_DESCRIPTORS = 0x03;

    /** I/O Command Set specific Identify Namespace. */
    public static final int NAMESPACE_CSI = 0x05;

    /** I/O Command Set specific Identify Controller. */
    public static final int CONTROLLER_CSI = 0x06;

    /** I/O Command Set specific Active Namespace ID list. */
    public static final int ACTIVE_NAMESPACES_CSI = 0x07;

    /** I/O Command Set independent Identify Namespace. */
    public static final int NAMESPACE_INDEPENDENT = 0x08;

    /** Allocated Namespace ID list. */
    public static final int ALLOCATED_NAMESPACES = 0x10;

    /** Identify Namespace of an allocated NSID. */
    public static final int ALLOCATED_NAMESPACE = 0x11;

    /** Controllers attached to a namespace. */
    public static final int ATTACHED_CONTROLLERS = 0x12;

    /** Controllers of the NVM subsystem. */
    public static final int CONTROLLERS = 0x13;

    /** Primary Controller Capabilities. */
    public static final int PRIMARY_CAPABILITIES = 0x14;

    /** Secondary Controller list. */
    public static final int SECONDARY_CONTROLLERS = 0x15;

    /** I/O Command Set combinations. */
    public static final int COMMAND_SETS = 0x1C;

    private Cns() {}

    /** Returns the name of a CNS value. Never fails: an unknown value gets a name that says so. */
    public static String name(int cns) {
        return switch (cns) {
            case NAMESPACE -> "Identify Namespace";
            case CONTROLLER -> "Identify Controller";
            case ACTIVE_NAMESPACES -> "Active Namespace ID list";
            case NAMESPACE_DESCRIPTORS -> "Namespace Identification Descriptor list";
            case NAMESPACE_CSI -> "I/O Command Set specific Identify Namespace";
            case CONTROLLER_CSI -> "I/O Command Set specific Identify Controller";
            case ACTIVE_NAMESPACES_CSI -> "I/O Command Set specific Active Namespace ID list";
            case NAMESPACE_INDEPENDENT -> "I/O Command Set independent Identify Namespace";
            case ALLOCATED_NAMESPACES -> "Allocated Namespace ID list";
            case ALLOCATED_NAMESPACE -> "Identify Namespace of an allocated NSID";
            case ATTACHED_CONTROLLERS -> "Controllers attached to a namespace";
            case CONTROLLERS -> "Controllers of the NVM subsystem";
            case PRIMARY_CAPABILITIES -> "Primary Controller Capabilities";
            case SECONDARY_CONTROLLERS -> "Secondary Controller list";
            case COMMAND_SETS -> "I/O Command Set combinations";
            default -> Wire.unknown("Unknown CNS", cns);
        };
    }
}
