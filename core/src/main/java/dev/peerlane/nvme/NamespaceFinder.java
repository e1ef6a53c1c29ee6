package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.NamespaceList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds and identifies the active namespaces of a controller, in every version. */
final class NamespaceFinder {
    /** What the finder uses of its controller. */
    interface Host {
        /** Creates a namespace object for a namespace that was identified. */
        Namespace namespace(
                int nsid,
                int commandSet,
                @Nullable IdentifyNamespace identity,
                @Nullable NamespaceDescriptors descriptors);
    }

    /** The number of identifiers to try on a controller without a list of active namespaces. */
    private static final int MAX_GUESSES = 1024;

    /** The number of list pages to read: 64 K namespaces. */
    private static final int MAX_LISTS = 64;

    private static final int NSID_ALL = -1;
    private static final int BEFORE_ALL = -2;

    private final Host host;
    private final String locator;
    private final Admin admin;
    private final Vs vs;
    private final long count;

    /**
     * Creates a finder for a controller.
     *
     * @param count NN, how many namespaces it has at most
     */
    NamespaceFinder(Host host, String locator, Admin admin, Vs vs, long count) {
        this.host = host;
        this.locator = locator;
        this.admin = admin;
        this.vs = vs;
        this.count = count;
    }

    int[] active() {
        if (vs.isAtLeast(1, 1)) {
            try {
                return listed();
            } catch (NvmeStatusException e) {
                if (Status.code(e.status()) != Status.INVALID_FIELD) {
                    throw e;
                }
            }
        }
        return guessed();
    }

    private int[] listed() {
        // With all command sets enabled, CNS 07h would list one set. CNS 02h lists all.
        List<Integer> all = new ArrayList<>();
        int last = 0;
        for (int page = 0; page < MAX_LISTS; page++) {
            NamespaceList list =
                    new NamespaceList(admin.identify(Cns.ACTIVE_NAMESPACES, last, CommandSet.NVM));
            for (int nsid : list.toArray()) {
                if (Integer.compareUnsigned(nsid, last) <= 0
                        || Integer.compareUnsigned(nsid, BEFORE_ALL) > 0) {
                    throw ControllerFault.nonsense(
                            locator,
                            "the active namespace list has %08Xh after %08Xh"
                                    .formatted(nsid, last));
                }
                all.add(nsid);
                last = nsid;
            }
            if (list.count() < NamespaceList.MAX_NSIDS || last == BEFORE_ALL) {
                break;
            }
        }
        return all.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * Finds the active namespaces of version 1.0, which has no list: tries all up to NN. Inactive
     * ones identify as zeroes.
     */
    private int[] guessed() {
        int last = (int) Math.min(MAX_GUESSES, count);
        int[] found = new int[last];
        int n = 0;
        for (int nsid = 1; nsid <= last; nsid++) {
            IdentifyNamespace id = identify(nsid);
            if (id != null && id.nsze() != 0) {
                found[n++] = nsid;
            }
        }
        return Arrays.copyOf(found, n);
    }

    private @Nullable IdentifyNamespace identify(int nsid) {
        try {
            return new IdentifyNamespace(admin.identify(Cns.NAMESPACE, nsid, CommandSet.NVM));
        } catch (NvmeStatusException e) {
            int code = Status.code(e.status());
            if (code == Status.INVALID_NAMESPACE
                    || code == Status.INVALID_FIELD
                    || code == Status.INVALID_COMMAND_SET) {
                return null;
            }
            throw e;
        }
    }

    Namespace find(int nsid) {
        if (nsid == 0 || nsid == NSID_ALL) {
            throw absent(nsid);
        }
        NamespaceDescriptors descriptors = descriptors(nsid);
        int csi = descriptors == null ? CommandSet.NVM : descriptors.csi().orElse(CommandSet.NVM);
        IdentifyNamespace id = identify(nsid);
        if (csi == CommandSet.NVM && (id == null || id.nsze() == 0)) {
            throw absent(nsid);
        }
        return host.namespace(nsid, csi, id, descriptors);
    }

    private @Nullable NamespaceDescriptors descriptors(int nsid) {
        if (!vs.isAtLeast(1, 3)) {
            return null;
        }
        try {
            return new NamespaceDescriptors(
                    admin.identify(Cns.NAMESPACE_DESCRIPTORS, nsid, CommandSet.NVM));
        } catch (NvmeStatusException e) {
            return null; // no descriptors, or no such namespace: Identify Namespace will tell
        }
    }

    List<Namespace> all() {
        List<Namespace> all = new ArrayList<>();
        for (int nsid : active()) {
            all.add(find(nsid));
        }
        return all;
    }

    private PeerlaneException absent(int nsid) {
        return PeerlaneException.request(
                "no-such-namespace",
                "%s has no active namespace %s".formatted(locator, Integer.toUnsignedString(nsid)),
                "list the controller's namespaces and name one of them");
    }
}
