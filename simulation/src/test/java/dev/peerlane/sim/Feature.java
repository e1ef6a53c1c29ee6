package dev.peerlane.sim;

import dev.peerlane.copy.BufferKind;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.PortModel;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Features of a copy, its drives or its fabric, besides faults. */
enum Feature {
    /** Another copy begins in the middle of this one. */
    BESIDE,
    /** The copy is cancelled. */
    CANCELLED,
    /** Hand-offs are counted instead of copying. */
    LITMUS,
    /** One side is a second namespace. */
    SECOND_NAMESPACE,
    /** The copy goes from one namespace of a drive to another. */
    ONE_DRIVE,
    /** The chunk length is not a multiple of a page. */
    ODD_CHUNK,
    /** A side begins at an offset that is not a multiple of a page. */
    ODD_OFFSET,
    /** A chunk is 32 KiB or longer. */
    LONG_CHUNK,
    /** The CMB does not begin at the start of its BAR. */
    CMB_OFFSET,
    /** The CMB's unit is larger than 4 KiB. */
    CMB_UNIT,
    /** The CMB reports a length that exceeds its BAR. */
    CMB_BEYOND_BAR,
    /** A side supports SGLs. */
    SGLS,
    /** A side has its doorbells in memory. */
    SHADOW_DOORBELLS,
    /** A port has ACS Source Validation. */
    ACS_SV,
    /** A port has ACS Translation Blocking. */
    ACS_TB,
    /** A port has ACS P2P Request Redirect. */
    ACS_RR,
    /** A port has ACS P2P Completion Redirect. */
    ACS_CR,
    /** A port has ACS Upstream Forwarding. */
    ACS_UF,
    /** A port has ACS P2P Egress Control. */
    ACS_EC,
    /** A port has ACS Direct Translated P2P. */
    ACS_DT;

    private static final int PAGE = 4096;
    private static final int LONG = 32 << 10;

    /** The features of a CMB. */
    static final Set<Feature> OF_CMB = EnumSet.of(CMB_OFFSET, CMB_UNIT, CMB_BEYOND_BAR);

    /** The features of ports, from bit 0 of the ACS Control Register on. */
    static final List<Feature> OF_PORT =
            List.of(ACS_SV, ACS_TB, ACS_RR, ACS_CR, ACS_UF, ACS_EC, ACS_DT);

    /**
     * Returns the features of a copy that has a plan.
     *
     * @param chunkBytes length of its chunks
     * @param carrier the drive whose CMB carries the data; null for host memory
     */
    static Set<Feature> of(
            World world, World.Copy copy, int chunkBytes, @Nullable DriveModel carrier) {
        Set<Feature> all = EnumSet.noneOf(Feature.class);
        add(all, BESIDE, copy.beside() != null);
        add(all, CANCELLED, copy.cancelAfter() > 0);
        add(all, LITMUS, copy.task() == World.Task.LITMUS);
        add(all, SECOND_NAMESPACE, copy.source().nsid() + copy.target().nsid() > 2);
        add(all, ONE_DRIVE, copy.source().drive() == copy.target().drive());
        add(all, ODD_CHUNK, chunkBytes % PAGE != 0);
        add(all, ODD_OFFSET, (copy.source().offset() | copy.target().offset()) % PAGE != 0);
        add(all, LONG_CHUNK, chunkBytes >= LONG);
        CmbModel cmb = carrier == null ? null : carrier.cmb();
        if (cmb != null) {
            add(all, CMB_OFFSET, cmb.offsetUnits() > 0);
            add(all, CMB_UNIT, cmb.unitBytes() > PAGE);
            long end = cmb.offsetBytes() + cmb.sizeBytes();
            add(all, CMB_BEYOND_BAR, cmb.barBytes() > 0 && end > cmb.barBytes());
        }
        for (int side : new int[] {copy.source().drive(), copy.target().drive()}) {
            DriveModel drive = world.fabric().drives().get(side);
            add(all, SGLS, drive.sgls() != DriveModel.Sgls.NONE);
            add(all, SHADOW_DOORBELLS, drive.doorbellBuffer());
        }
        world.fabric().ports().forEach(port -> addPort(all, port));
        return all;
    }

    private static void addPort(Set<Feature> all, PortModel port) {
        int acs = port.acs() == null ? 0 : port.acs();
        for (int bit = 0; bit < OF_PORT.size(); bit++) {
            add(all, OF_PORT.get(bit), (acs >>> bit & 1) != 0);
        }
        port.ports().forEach(below -> addPort(all, below));
    }

    private static void add(Set<Feature> all, Feature feature, boolean has) {
        if (has) {
            all.add(feature);
        }
    }

    /** Returns why a feature can't be covered with the data in some memory; empty if it can. */
    String reason(BufferKind buffer) {
        if (buffer == BufferKind.HOST) {
            if (OF_CMB.contains(this)) {
                return "no CMB carries the data";
            }
            return this == LITMUS ? "it counts in a CMB" : "";
        }
        boolean own = this == ONE_DRIVE && buffer == BufferKind.SOURCE_CMB;
        return own ? "the CMB of the only drive is the target's" : "";
    }
}
