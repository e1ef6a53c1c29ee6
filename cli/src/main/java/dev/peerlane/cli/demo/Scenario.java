package dev.peerlane.cli.demo;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.terminal.Sizes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.Collectors;

/** A fabric on which peer-to-peer goes wrong in one particular way. A resource describes it. */
enum Scenario {
    /** SPDK's first warning. */
    ROOT_COMPLEX(
            "root-complex",
            "two drives in root ports; the root complex loses what one sends to the other",
            "Between devices in root ports, peer-to-peer DMA may fail or be slow, depending on"
                    + " the machine.",
            "It assumes that the root complex forwards peer requests. The source does not learn"
                    + " that its writes are lost: posted writes have no completion, so each Read"
                    + " ends with success."),
    /** SPDK's second warning. */
    ACS(
            "acs",
            "two drives below one switch, whose ports redirect (Access Control Services)",
            "Even below one switch it may fail: firmware or the kernel may have enabled Access"
                    + " Control Services.",
            "It assumes that one switch means a direct route. ACS redirects the writes to the"
                    + " root complex, which loses them."),
    /** SPDK's third warning. */
    TWO_PATHS(
            "two-paths",
            "two drives with a second path between them, so that packets arrive in any order",
            "With several switches there may be several paths between two devices. Packets that"
                    + " take different paths arrive out of order.",
            "It hands a slot on when the Read has completed. The data on the slower path has not"
                    + " arrived, and the target writes what the slot held before."),
    /** Shows why a fence is needed even on a single path. */
    OVERTAKING(
            "overtaking",
            "a root complex that forwards everything, but slowly: completions overtake the data",
            "Not among SPDK's warnings, but the most common case: the data goes to the CMB, its"
                    + " completion to host memory. PCIe does not order requests to two different"
                    + " targets.",
            "It hands a slot on when the Read has completed, but the completion was faster than"
                    + " the data."),
    /** Shows why planted words are read back. */
    LATE_STORES(
            "late-stores",
            "one switch and a host whose stores to the CMB arrive after the source's data",
            "Not among SPDK's warnings: a host store to a CMB is a posted write too, and nothing"
                    + " orders it against the data of another device.",
            "It first clears the slots to remove old data, but does not read them back. The store"
                    + " that starts the source goes to another device, so the source's data arrived before"
                    + " the zeroes, and the zeroes overwrote it.");

    /** The capacity of each drive of a scenario. */
    static final int BYTES = 256 << 10;

    private static final int MAX_BYTES = 1 << 16;

    private final String label;
    private final String title;
    private final String warning;
    private final String mistake;

    Scenario(String label, String title, String warning, String mistake) {
        this.label = label;
        this.title = title;
        this.warning = warning;
        this.mistake = mistake;
    }

    /** The names, for shell completion. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(values()).map(Scenario::label).iterator();
        }
    }

    /** Returns the scenario of a name. */
    static Scenario of(String name) {
        for (Scenario each : values()) {
            if (each.label.equals(name)) {
                return each;
            }
        }
        throw PeerlaneException.request(
                "no-such-scenario",
                "Unknown scenario '" + name + "'",
                "Choose one of "
                        + Arrays.stream(values())
                                .map(Scenario::label)
                                .collect(Collectors.joining(", "))
                        + "; --scenario list describes them");
    }

    String label() {
        return label;
    }

    /** Returns a one-line description. */
    String title() {
        return title;
    }

    /** Returns the warning that the scenario demonstrates. */
    String warning() {
        return warning;
    }

    /** Returns what a copy without safeguards does wrong. */
    String mistake() {
        return mistake;
    }

    /**
     * Returns whether the copy without safeguards first clears the slots without reading them back.
     */
    boolean clearsFirst() {
        return this == LATE_STORES;
    }

    /**
     * Returns its fabric file for other commands. The drives are in memory, since there are no
     * images.
     */
    String printedFabric(long seed) {
        String size = "size: " + Sizes.text(BYTES).replace(" ", "");
        return fabric(seed).replaceAll("image: \\w+\\.img", size);
    }

    /** Returns its fabric file with a given seed. */
    String fabric(long seed) {
        String name = "scenarios/" + label + ".yaml";
        try (InputStream in = Scenario.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("there is no resource " + name);
            }
            String text = new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8);
            return text.replace("seed: 1\n", "seed: " + seed + "\n");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
