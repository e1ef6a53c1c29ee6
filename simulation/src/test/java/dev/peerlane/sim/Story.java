package dev.peerlane.sim;

import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Tells what happens in a seed: in words for a replay, and as counts for a run of many seeds. */
final class Story {
    private final EmulatedFabric fabric;
    private final @Nullable Consumer<String> trace;
    private final Map<String, Integer> seen = new TreeMap<>();

    /** Reports events of a fabric to a listener, or to none if it is null. */
    Story(EmulatedFabric fabric, @Nullable Consumer<String> trace) {
        this.fabric = fabric;
        this.trace = trace;
    }

    /** Returns what happened, and how often. */
    Map<String, Integer> seen() {
        return seen;
    }

    /** Counts an event. */
    void saw(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    /** Reports something that has no time. */
    void tell(String what) {
        if (trace != null) {
            trace.accept(what);
        }
    }

    /** Reports an event at the present time; the text is not composed without a listener. */
    void step(Supplier<String> what) {
        if (trace != null) {
            trace.accept("%9d ns  %s".formatted(fabric.clock().nanoTime(), what.get()));
        }
    }

    /** Describes the drives and the topology. */
    void describe() {
        if (trace == null) {
            return;
        }
        FabricModel model = fabric.model();
        for (DriveModel drive : model.drives()) {
            CmbModel cmb = drive.cmb();
            tell(
                    "emu:%s is %s: blocks of %d bytes, %d ns, queues of %d, MDTS %d, %s, %s"
                            .formatted(
                                    drive.name(),
                                    fabric.bdf(drive.name()),
                                    drive.namespaces().getFirst().blockBytes(),
                                    drive.latencyNanos(),
                                    drive.maxQueueEntries(),
                                    drive.mdts(),
                                    drive.compare() ? "Compare" : "no Compare",
                                    cmb == null ? "no CMB" : cmb.toString()));
        }
        tell(
                "IOMMU %s, Relaxed Ordering %s, peer writes %s, peer reads %s, %s"
                        .formatted(
                                model.iommu() ? "on" : "off",
                                model.relaxedOrdering() ? "on" : "off",
                                model.peerWrites(),
                                model.peerReads(),
                                model.rootComplex()));
        tell(model.packets() == null ? "no packets" : model.packets().toString());
    }

    /** Describes a copy before it begins. */
    void describe(World.Copy copy) {
        if (trace == null) {
            return;
        }
        tell(
                "%s of %d bytes from %s to %s"
                        .formatted(copy.task(), copy.bytes(), copy.source(), copy.target()));
        tell("  " + copy.options());
        if (copy.cancelAfter() > 0) {
            tell("  cancelled after %d commands".formatted(copy.cancelAfter()));
        }
        copy.faults().forEach(f -> tell("  from %s on: %s".formatted(f.phase(), f.fault())));
    }
}
