package dev.peerlane.cli.acs;

import dev.peerlane.binding.VfioUse;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds devices in use by a virtual machine or another program. A guest address may equal the
 * address of a peer's BAR. While ports redirect, the IOMMU translates it; without redirection, the
 * switch routes the request to that peer.
 */
final class Guests {
    private Guests() {}

    /**
     * Returns the reasons against a change that affects these devices.
     *
     * @param from a directory laid out like /, examined instead of this system, or null
     */
    static List<String> against(List<Bdf> reached, LocalSystem local, @Nullable Path from) {
        SystemRoot system = from == null ? local.systemRoot() : SystemRoot.in(from);
        VfioUse use = new VfioUse(from == null ? local.kernel().get() : null, system);
        SysfsTree tree = SysfsTree.list(system.sys());
        List<String> reasons = new ArrayList<>();
        for (Bdf bdf : reached) {
            VfioUse.Answer answer = tree.function(bdf).map(use::of).orElse(VfioUse.Answer.GONE);
            answer.users().forEach(by -> reasons.add("%s is in use (%s)".formatted(bdf, by)));
            if (answer.users().isEmpty()) {
                answer.unknown()
                        .forEach(why -> reasons.add("%s may be in use (%s)".formatted(bdf, why)));
            }
        }
        return reasons;
    }
}
