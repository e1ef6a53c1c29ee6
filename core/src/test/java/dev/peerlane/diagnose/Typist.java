package dev.peerlane.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.ConfigBytes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Applies the doctor's actions to a captured tree as a person would to a machine: in configuration
 * space, sysfs and procfs, and by a boot with other parameters.
 */
final class Typist {
    private static final String BOOT = "kernel command line: ";
    private static final String CMDLINE = "proc/cmdline";
    private static final String MODULE = "sys/module/vfio_pci/refcnt";
    private static final int PAYLOAD = TreeBuilder.EXPRESS + 8;
    private static final Pattern SETPCI =
            Pattern.compile(
                    "setpci -s (\\S+) (CAP_EXP|ECAP_ACS|ECAP_DPC)\\+(\\d+)\\.w=(\\w{4}):(\\w{4})");
    private static final Pattern ECHO = Pattern.compile("echo (?:(\\S+) )?> /(\\S+)");
    private static final Pattern POWER =
            Pattern.compile("sys/bus/pci/devices/(\\S+)/power/control");

    private final TreeBuilder tree;
    private final Map<Bdf, byte[]> firmware = new HashMap<>();
    private final Map<Bdf, String> drivers = new HashMap<>();
    private final Map<Bdf, String> states = new HashMap<>();
    private final Map<List<Bdf>, AcsChange> saved = new HashMap<>();

    Typist(TreeBuilder tree) {
        this.tree = tree;
        for (TreeBuilder.Node node : tree.nodes.values()) {
            firmware.put(node.bdf, node.config.bytes());
            drivers.put(node.bdf, node.driver);
        }
    }

    /** Returns the actions that take effect now, or those for the next boot. */
    static List<Action> actions(List<Action> all, boolean boot) {
        return all.stream().filter(a -> text(a).startsWith(BOOT) == boot).toList();
    }

    /** Returns a line as it is typed, or any other action by its name and its functions. */
    static String text(Action action) {
        return action instanceof Action.Line line ? line.text() : action.toString();
    }

    /** Returns all files and links of a tree, for comparison. */
    static Map<String, String> content(TreeBuilder tree) {
        Map<String, String> content = new TreeMap<>();
        CapturedFiles files = tree.files();
        files.files().forEach((p, b) -> content.put(p, java.util.HexFormat.of().formatHex(b)));
        files.links().forEach((p, t) -> content.put(p + " ->", t));
        return content;
    }

    void type(List<Action> actions) {
        actions.forEach(this::type);
        if (actions.stream().anyMatch(a -> text(a).startsWith(BOOT))) {
            boot();
        }
    }

    private void type(Action action) {
        switch (action) {
            case Action.Line line -> type(line.text());
            case Action.Bind bind -> bind.functions().forEach(f -> bind(f, true));
            case Action.Unbind unbind -> unbind.functions().forEach(f -> bind(f, false));
            case Action.DisableRedirect off -> disable(List.of(off.one(), off.other()));
            case Action.RestoreRedirect back ->
                    saved.get(List.of(back.one(), back.other()))
                            .bridges()
                            .forEach(b -> acs(b, b.control()));
        }
    }

    private void type(String line) {
        Matcher setpci = SETPCI.matcher(line);
        Matcher echo = ECHO.matcher(line);
        if (line.startsWith(BOOT)) {
            parameter(line.substring(BOOT.length()));
        } else if (setpci.matches()) {
            setpci(setpci);
        } else if (echo.matches()) {
            echo(echo.group(1), echo.group(2));
        } else if (line.startsWith("ulimit -l ")) {
            limit(line.substring("ulimit -l ".length()));
        } else {
            throw new AssertionError("nobody can type '" + line + "'");
        }
    }

    private void setpci(Matcher m) {
        ConfigBytes config = tree.at(m.group(1)).config;
        int base =
                switch (m.group(2)) {
                    case "CAP_EXP" -> config.capability(0x10).orElseThrow();
                    case "ECAP_ACS" -> config.extendedCapability(0x0d).orElseThrow();
                    default -> config.extendedCapability(0x1d).orElseThrow();
                };
        int at = base + Integer.parseInt(m.group(3), 16);
        int value = Integer.parseInt(m.group(4), 16);
        int mask = Integer.parseInt(m.group(5), 16);
        config.store16(at, (config.load16(at) & ~mask) | (value & mask));
    }

    private void limit(String kibibytes) {
        boolean all = kibibytes.equals("unlimited");
        String bytes = all ? kibibytes : "" + (Long.parseLong(kibibytes) << 10);
        tree.texts.put("proc/self/limits", "Max locked memory " + bytes + " " + bytes + " bytes");
    }

    private void echo(String value, String path) {
        Matcher power = POWER.matcher(path);
        if (power.matches()) {
            power(tree.at(power.group(1)), value);
            return;
        }
        assertThat(tree.texts).as("a file that is there").containsKey(path);
        tree.texts.put(path, value);
    }

    private void power(TreeBuilder.Node node, String value) {
        assertThat(node.texts).containsKey("power/control");
        node.texts.put("power/control", value);
        states.putIfAbsent(node.bdf, node.texts.get("power_state"));
        boolean on = value.equals("on");
        node.texts.put("power/runtime_status", on ? "active" : "suspended");
        node.texts.put("power_state", on ? "D0" : states.get(node.bdf));
    }

    /** Binds a function as the guarded action does if it refuses nothing. Only drives are bound. */
    private void bind(Bdf function, boolean there) {
        TreeBuilder.Node node = tree.at(function.toString());
        assertThat(tree.texts).containsKey(MODULE);
        assertThat(node.texts.get("class")).isEqualTo("0x010802");
        if (there) {
            node.driver = "vfio-pci";
            node.texts.put("driver_override", "vfio-pci");
        } else {
            node.driver = drivers.get(node.bdf);
            node.texts.remove("driver_override");
        }
    }

    private void disable(List<Bdf> devices) {
        AcsChange change = AcsChange.between(tree.snapshot().machine(), devices);
        assertThat(change.bridges()).isNotEmpty();
        saved.put(devices, change);
        change.bridges().forEach(b -> acs(b, b.changed()));
    }

    private void acs(AcsChange.Bridge bridge, int control) {
        tree.at(bridge.bdf().toString()).config.store16(bridge.offset() + 6, control);
    }

    /**
     * Adds a word to the command line. With {@code without} before it, removes the word, also where
     * it has a value.
     */
    private void parameter(String change) {
        List<String> words = new ArrayList<>(List.of(tree.texts.get(CMDLINE).split(" ", -1)));
        words.removeIf(String::isEmpty);
        if (change.startsWith("without ")) {
            String word = change.substring("without ".length());
            assertThat(words.removeIf(w -> w.equals(word) || w.startsWith(word + "="))).isTrue();
        } else if (!words.contains(change)) {
            words.add(change);
        }
        tree.texts.put(CMDLINE, String.join(" ", words));
    }

    /** Sets what Linux would set at boot, starting from the firmware's values. */
    private void boot() {
        List<String> words = List.of(tree.texts.get(CMDLINE).split(" ", -1));
        int group = 0;
        boolean amd = tree.texts.get("proc/cpuinfo").contains("AuthenticAMD");
        boolean iommu =
                !words.contains("iommu=off")
                        && (amd
                                ? !words.contains("amd_iommu=off")
                                : words.contains("intel_iommu=on"));
        for (TreeBuilder.Node node : tree.nodes.values()) {
            byte[] bytes = firmware.get(node.bdf);
            for (int i = 0; i < bytes.length; i += 4) {
                node.config.store32(i, new ConfigBytes(bytes).load32(i));
            }
            node.group = iommu ? group++ : -1;
        }
        for (String word : words) {
            if (word.equals("pci=pcie_bus_peer2peer")) {
                tree.nodes.values().stream()
                        .filter(n -> n.config.capability(0x10).isPresent())
                        .forEach(n -> n.config.store16(PAYLOAD, n.config.load16(PAYLOAD) & ~0xe0));
            } else if (word.startsWith("pci=disable_acs_redir=")) {
                for (String bdf : word.substring(word.lastIndexOf('=') + 1).split(";", -1)) {
                    ConfigBytes config = tree.at(bdf).config;
                    int at = config.extendedCapability(0x0d).orElseThrow() + 6;
                    config.store16(at, config.load16(at) & ~Acs.REDIRECT_BITS);
                }
            }
        }
    }
}
