package dev.peerlane.cli.demo;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.terminal.Sizes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.Collectors;

/** A fabric on which peer-to-peer goes wrong in one way. Its description is a resource. */
enum Scenario {
    /** The first warning. */
    ROOT_COMPLEX(
            "root-complex",
            "two drives in ports of the root complex, which loses what one sends to the other",
            "Between devices in ports of the root complex, peer-to-peer DMA may fail or be slow;"
                    + " it depends on the machine.",
            "It believes that the root complex forwards. Nobody tells the source that its writes"
                    + " are lost: posted writes have no answer, so each Read ends with success."),
    /** The second warning. */
    ACS(
            "acs",
            "two drives below one switch, whose ports redirect by Access Control Services",
            "Even below a switch it may fail: firmware or kernel may have turned on Access Control"
                    + " Services.",
            "It believes that one switch means a straight way. ACS sends the writes up to the root"
                    + " complex instead, and there they are lost."),
    /** The third warning. */
    TWO_PATHS(
            "two-paths",
            "two drives with a second way between them, so that packets arrive in any order",
            "In topologies of several switches there may be several ways between two devices, and"
                    + " packets that take different ones arrive out of order.",
            "It hands a slot on when the Read has completed. What took the slower way is not there"
                    + " yet, and the target writes what the slot held before."),
    /** What a fence is for, even on one way. */
    OVERTAKING(
            "overtaking",
            "a root complex that forwards all, but slowly: completions overtake the data",
            "Not among SPDK's warnings, and the commonest of all: data goes to the CMB, its"
                    + " completion to host memory. Those are two targets, and no rule of PCIe keeps"
                    + " them in order.",
            "It hands a slot on when the Read has completed, and the completion was faster than the"
                    + " data."),
    /** Why planted words are read back. */
    LATE_STORES(
            "late-stores",
            "one switch and a host whose stores to the CMB arrive late, behind the source's data",
            "Not among SPDK's warnings: what the host stores to a CMB is a posted write too, and"
                    + " nothing keeps it in order with the data of another device.",
            "It clears the slots first, so that nobody finds old data in them, and does not read"
                    + " them back. The source was told by a store to another device; its data came"
                    + " before the zeroes, and the zeroes destroyed it.");

    /** How much each drive of a scenario holds. */
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

    /** The names, for the completion of shells. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(values()).map(Scenario::label).iterator();
        }
    }

    /** Finds one by its name. */
    static Scenario of(String name) {
        for (Scenario each : values()) {
            if (each.label.equals(name)) {
                return each;
            }
        }
        throw PeerlaneException.request(
                "no-such-scenario",
                "There is no scenario '" + name + "'",
                "Choose one of "
                        + Arrays.stream(values())
                                .map(Scenario::label)
                                .collect(Collectors.joining(", "))
                        + "; --scenario list tells what they show");
    }

    String label() {
        return label;
    }

    /** One line. */
    String title() {
        return title;
    }

    /** What is to be feared. */
    String warning() {
        return warning;
    }

    /** What a copy without safeguards does wrong there. */
    String mistake() {
        return mistake;
    }

    /** Whether the copy without safeguards first clears the slots, and does not read them back. */
    boolean clearsFirst() {
        return this == LATE_STORES;
    }

    /** Returns its fabric file for others to use: with drives in memory, for it has no images. */
    String printedFabric(long seed) {
        String size = "size: " + Sizes.text(BYTES).replace(" ", "");
        return fabric(seed).replaceAll("image: \\w+\\.img", size);
    }

    /** Returns its fabric file, with another seed. */
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
