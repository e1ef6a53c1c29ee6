package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.media.EmulatedNamespace;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.LbaFormat;
import dev.peerlane.spec.Oncs;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.NamespaceList;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Composes the data structures of Identify (NVMe Base 2.0, 5.17). */
final class IdentifyPages {
    /** Bytes of each structure. */
    static final int BYTES = 4096;

    private static final int WARNING_KELVIN = 343;
    private static final int CRITICAL_KELVIN = 353;
    private static final int LPA_EFFECTS_AND_OFFSET = 0x6;
    private static final int SQES_64 = 0x66;
    private static final int CQES_16 = 0x44;
    private static final int VWC_PRESENT_FLUSH_ALL = 0x7;
    private static final int DLFEAT_ZEROES_AND_DEAC = 0x9;
    private static final int ABORT_LIMIT_Z = 3;
    private static final int MAX_NSID = 0xffff_fffd;
    private static final long DESCRIPTOR_BYTES = 8;

    private final DriveModel drive;
    private final Namespaces namespaces;
    private final Vs version;

    IdentifyPages(DriveModel drive, Namespaces namespaces) {
        this.drive = drive;
        this.namespaces = namespaces;
        this.version = drive.version();
    }

    /**
     * Composes the structure that a command requests.
     *
     * @return 0 or the status with which the command has to end
     */
    int compose(Command command, MemorySegment page) {
        page.asSlice(0, BYTES).fill((byte) 0);
        MemorySegment sqe = command.sqe();
        int nsid = command.nsid();
        int csi = AdminCommand.csi(Sqe.cdw11(sqe, 0));
        return switch (AdminCommand.cns(Sqe.cdw10(sqe, 0))) {
            case Cns.NAMESPACE -> namespace(page, nsid);
            case Cns.CONTROLLER -> controller(page);
            case Cns.ACTIVE_NAMESPACES -> list(page, nsid, -1);
            case Cns.NAMESPACE_DESCRIPTORS ->
                    version.isAtLeast(1, 3) ? descriptors(page, nsid) : Status.INVALID_FIELD;
            case Cns.NAMESPACE_CSI -> namespaceOfSet(nsid, csi);
            case Cns.CONTROLLER_CSI -> hasSet(csi) ? 0 : Status.INVALID_FIELD;
            case Cns.ACTIVE_NAMESPACES_CSI ->
                    hasSet(csi) ? list(page, nsid, csi) : Status.INVALID_FIELD;
            case Cns.COMMAND_SETS -> combinations(page);
            default -> Status.INVALID_FIELD;
        };
    }

    private int controller(MemorySegment page) {
        IdentifyController.VID.write(page, DriveModel.VENDOR_ID);
        IdentifyController.SSVID.write(page, DriveModel.VENDOR_ID);
        IdentifyController.SN.writeText(page, drive.serial());
        IdentifyController.MN.writeText(page, drive.model());
        IdentifyController.FR.writeText(page, "1.0");
        IdentifyController.MDTS.write(page, drive.mdts());
        IdentifyController.CNTLID.write(page, drive.controllerId());
        IdentifyController.VER.write(page, Integer.toUnsignedLong(version.raw()));
        IdentifyController.CNTRLTYPE.write(page, version.isAtLeast(1, 4) ? 1 : 0);
        IdentifyController.OACS.write(
                page, drive.doorbellBuffer() ? IdentifyController.OACS_DOORBELL_BUFFER : 0);
        IdentifyController.ACL.write(page, ABORT_LIMIT_Z);
        IdentifyController.AERL.write(page, AsyncEvents.LIMIT - 1);
        IdentifyController.LPA.write(page, LPA_EFFECTS_AND_OFFSET);
        IdentifyController.ELPE.write(page, ErrorLog.ENTRIES - 1);
        IdentifyController.WCTEMP.write(page, WARNING_KELVIN);
        IdentifyController.CCTEMP.write(page, CRITICAL_KELVIN);
        IdentifyController.SQES.write(page, SQES_64);
        IdentifyController.CQES.write(page, CQES_16);
        IdentifyController.NN.write(page, namespaces.count());
        int compare = drive.compare() ? Oncs.COMPARE : 0;
        int verify = version.isAtLeast(1, 4) ? Oncs.VERIFY : 0;
        int optional = Oncs.DSM | Oncs.WRITE_ZEROES | Oncs.SAVE_SELECT;
        IdentifyController.ONCS.write(page, optional | compare | verify);
        IdentifyController.VWC.write(page, drive.volatileWriteCache() ? VWC_PRESENT_FLUSH_ALL : 0);
        int sgls =
                switch (drive.sgls()) {
                    case NONE -> 0;
                    case BYTES -> IdentifyController.SGL_BYTES;
                    case DWORDS -> IdentifyController.SGL_DWORDS;
                };
        IdentifyController.SGLS.write(page, sgls);
        IdentifyController.NWPC.write(page, version.isAtLeast(1, 4) ? 1 : 0);
        IdentifyController.SUBNQN.writeZeroTerminated(
                page, "nqn.2014-08.org.nvmexpress:uuid:" + uuid("subsystem"));
        return 0;
    }

    private int namespace(MemorySegment page, int nsid) {
        EmulatedNamespace namespace = namespaces.get(nsid);
        if (namespace == null) {
            return Status.INVALID_NAMESPACE;
        }
        NamespaceModel model = namespace.model();
        if (model.commandSet() == CommandSet.KEY_VALUE) {
            return Status.INVALID_COMMAND_SET;
        }
        IdentifyNamespace.NSZE.write(page, namespace.blockCount());
        IdentifyNamespace.NCAP.write(page, namespace.blockCount());
        IdentifyNamespace.NUSE.write(page, namespace.blockCount());
        IdentifyNamespace.MC.write(page, model.metadataBytes() > 0 ? 2 : 0);
        int type = model.protectionType();
        // the supported type is in bits 2:0 of DPC; bit 4: the information is the last bytes of the
        // metadata
        IdentifyNamespace.DPC.write(page, type == 0 ? 0 : (1 << (type - 1)) | 0x10);
        IdentifyNamespace.DPS.write(page, type);
        IdentifyNamespace.DLFEAT.write(page, DLFEAT_ZEROES_AND_DEAC);
        IdentifyNamespace.NVMCAP.writeBig(
                page, java.math.BigInteger.valueOf(namespace.media().sizeBytes()));
        IdentifyNamespace.NSATTR.write(page, namespace.writeProtected() ? 1 : 0);
        IdentifyNamespace.NGUID.writeBytes(page, nguid(nsid));
        LbaFormat format = LbaFormat.of(model.metadataBytes(), namespace.blockShift(), 0);
        IdentifyNamespace.lbafField(0).write(page, Integer.toUnsignedLong(format.raw()));
        return 0;
    }

    private int namespaceOfSet(int nsid, int csi) {
        EmulatedNamespace namespace = namespaces.get(nsid);
        if (namespace == null) {
            return Status.INVALID_NAMESPACE;
        }
        return namespace.model().commandSet() == csi ? 0 : Status.INVALID_FIELD;
    }

    private int list(MemorySegment page, int above, int csi) {
        if (Integer.compareUnsigned(above, MAX_NSID) > 0) {
            return Status.INVALID_NAMESPACE;
        }
        int[] nsids = new int[NamespaceList.MAX_NSIDS];
        int count = 0;
        for (int nsid = 1; nsid <= namespaces.count() && count < nsids.length; nsid++) {
            EmulatedNamespace namespace = namespaces.get(nsid);
            boolean wanted =
                    namespace != null && (csi < 0 || namespace.model().commandSet() == csi);
            if (wanted && Integer.compareUnsigned(nsid, above) > 0) {
                nsids[count++] = nsid;
            }
        }
        NamespaceList.write(page, java.util.Arrays.copyOf(nsids, count));
        return 0;
    }

    private int descriptors(MemorySegment page, int nsid) {
        EmulatedNamespace namespace = namespaces.get(nsid);
        if (namespace == null) {
            return Status.INVALID_NAMESPACE;
        }
        int next = NamespaceDescriptors.put(page, 0, NamespaceDescriptors.NGUID, nguid(nsid));
        if (namespaces.hasOtherCommandSets()) {
            byte csi = (byte) namespace.model().commandSet();
            NamespaceDescriptors.put(page, next, NamespaceDescriptors.CSI, csi);
        }
        return 0;
    }

    /** Writes the only combination, which has all command sets of the namespaces. */
    private int combinations(MemorySegment page) {
        if (!namespaces.hasOtherCommandSets()) {
            return Status.INVALID_FIELD;
        }
        long sets = 0;
        for (int csi = CommandSet.NVM; csi <= CommandSet.ZONED; csi++) {
            sets |= hasSet(csi) ? 1L << csi : 0;
        }
        new dev.peerlane.spec.WireField(0, (int) DESCRIPTOR_BYTES).write(page, sets);
        return 0;
    }

    private boolean hasSet(int csi) {
        if (csi == CommandSet.NVM) {
            return true;
        }
        for (int nsid = 1; nsid <= namespaces.count(); nsid++) {
            EmulatedNamespace namespace = namespaces.get(nsid);
            if (namespace != null && namespace.model().commandSet() == csi) {
                return true;
            }
        }
        return false;
    }

    private byte[] nguid(int nsid) {
        UUID uuid = uuid("namespace " + nsid);
        return ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }

    private UUID uuid(String what) {
        String name = drive.serial() + "/" + drive.name() + "/" + what;
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.US_ASCII));
    }
}
