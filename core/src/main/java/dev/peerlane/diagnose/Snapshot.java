package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SystemFiles;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbsz;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All facts that a diagnosis is based on.
 *
 * @param origin where the facts come from, for messages
 * @param machine the PCI tree
 * @param host the system around the tree; null for a fabric that is not this machine's
 * @param cmbs the known controller memory buffers
 * @param namespaces the known namespaces
 * @param isOpen whether the devices were opened before the tree was read, so that it shows what
 *     opening changes
 */
public record Snapshot(
        String origin,
        Machine machine,
        @Nullable Host host,
        List<CmbFacts> cmbs,
        List<NamespaceFacts> namespaces,
        boolean isOpen) {
    /** Copies the lists. */
    public Snapshot {
        cmbs = List.copyOf(cmbs);
        namespaces = List.copyOf(namespaces);
    }

    /** Creates a snapshot of a machine whose devices were not opened. */
    public Snapshot(String origin, Machine machine, @Nullable Host host, List<CmbFacts> cmbs) {
        this(origin, machine, host, cmbs, List.of(), false);
    }

    /**
     * Reads a system with the configuration spaces of its bridges and NVMe functions. Needs no
     * privileges, but sees less without them; the diagnosis then says so.
     */
    public static Snapshot of(SystemFiles files) {
        return of(files, PciFunction::isNvme);
    }

    /**
     * Reads a system with the configuration spaces of its bridges and of chosen functions.
     *
     * @param asked selects the functions, in addition to bridges
     */
    public static Snapshot of(SystemFiles files, Predicate<PciFunction> asked) {
        Machine machine = SysfsTree.read(files, asked).machine();
        List<CmbFacts> cmbs = new ArrayList<>();
        for (PciFunction f : machine.nvmeFunctions()) {
            CmbFacts facts = cmb(files, f);
            if (facts != null) {
                cmbs.add(facts);
            }
        }
        return new Snapshot(files.origin(), machine, Host.read(files), cmbs);
    }

    /**
     * Creates a snapshot of a fabric that is not this machine's (emulated, or inside QEMU), after
     * its devices were opened.
     */
    public static Snapshot ofFabric(
            String kind, Machine machine, List<CmbFacts> cmbs, List<NamespaceFacts> namespaces) {
        return new Snapshot("the fabric " + kind, machine, null, cmbs, namespaces, true);
    }

    /**
     * Returns this snapshot with the facts that devices reported when they were opened, before it
     * was read.
     */
    public Snapshot opened(Snapshot told) {
        return new Snapshot(origin, machine, host, told.cmbs, told.namespaces, true);
    }

    /** Returns the facts about a function's CMB, or null if nothing is known. */
    public @Nullable CmbFacts cmb(Bdf owner) {
        return cmbs.stream().filter(c -> c.owner().equals(owner)).findFirst().orElse(null);
    }

    /**
     * Returns the facts that Linux's nvme driver shows of a CMB, or null. Without its files nothing
     * is known, because Linux 6.1 decides what to show before it looks for the CMB.
     */
    private static @Nullable CmbFacts cmb(SystemFiles files, PciFunction f) {
        String directory = SysfsTree.directory(f.bdf());
        for (String controller : files.list(directory + "/nvme")) {
            String path = directory + "/nvme/" + controller;
            Integer size = register(files.text(path + "/cmbsz"));
            Integer place = register(files.text(path + "/cmbloc"));
            String both = files.text(path + "/cmb");
            if (both != null) {
                size = size == null ? register(field(both, "cmbsz")) : size;
                place = place == null ? register(field(both, "cmbloc")) : place;
            }
            if (size == null) {
                return null;
            }
            Cmbsz cmbsz = new Cmbsz(size);
            Cmbloc cmbloc = new Cmbloc(place == null ? 0 : place);
            return new CmbFacts(
                    f.bdf(),
                    cmbsz.sizeBytes(),
                    cmbsz.sizeBytes(),
                    cmbloc.offsetBytes(cmbsz),
                    cmbsz.rds(),
                    cmbsz.wds(),
                    null,
                    "/" + path + "/cmbsz = 0x%08x".formatted(size));
        }
        return null;
    }

    private static @Nullable String field(String text, String name) {
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(name) && line.contains(":")) {
                return line.substring(line.indexOf(':') + 1).strip();
            }
        }
        return null;
    }

    private static @Nullable Integer register(@Nullable String text) {
        try {
            return text == null || !text.startsWith("0x")
                    ? null
                    : Integer.parseUnsignedInt(text.substring(2), 16);
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
