package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A table from error codes to remedies that name this program's commands and options, which the
 * library doesn't know. An error without an entry keeps the library's remedy.
 */
public final class Remedies {
    private static final Pattern VALUE = Pattern.compile("\\{(\\w+)}");

    /**
     * The remedy for errors of one code with certain values.
     *
     * @param code the error code
     * @param template the text, with names of values in braces
     * @param needs the values that an error must have, including those in the template
     */
    record Remedy(String code, String template, Set<String> needs) {
        private static Remedy of(String code, String template, String... needs) {
            Stream<String> named = VALUE.matcher(template).results().map(r -> r.group(1));
            Set<String> all =
                    Stream.concat(named, Stream.of(needs))
                            .collect(Collectors.toCollection(LinkedHashSet::new));
            return new Remedy(code, template, all);
        }

        private boolean fits(PeerlaneException e) {
            return code.equals(e.code()) && e.values().keySet().containsAll(needs);
        }

        private String filled(Map<String, String> values) {
            return VALUE.matcher(template)
                    .replaceAll(r ->
                            Matcher.quoteReplacement(
                                    Objects.requireNonNull(values.get(r.group(1)))));
        }
    }

    /** The entries. The first that matches an error is used. */
    static final List<Remedy> TABLE =
            List.of(
                    Remedy.of(
                            "peer-reads-lie",
                            "The copy can't be trusted: use --buffer target or --buffer host"),
                    Remedy.of("verify-failed", "Use --verify {verify}"),
                    Remedy.of(
                            "verify-mismatch",
                            "The copy is wrong: if nothing else writes to either, this platform"
                                    + " delivers wrong data between these devices; copy with"
                                    + " --buffer {buffer}"),
                    Remedy.of(
                            "compare-lies",
                            "The copy is not verified, because this device's Compare ignores"
                                    + " the data: copy with --verify host, and do not trust the"
                                    + " device"),
                    Remedy.of(
                            "peer-data-missing",
                            "This platform loses peer writes between these devices: copy with"
                                    + " --buffer host"),
                    Remedy.of(
                            "peer-writes-lost",
                            "This platform loses writes between these devices: put both behind one"
                                    + " switch, look at ACS and the IOMMU, or copy with --buffer"
                                    + " host"),
                    Remedy.of(
                            "no-cmb",
                            "Choose another buffer; --buffer host copies through host memory",
                            "buffer"),
                    Remedy.of(
                            "cmb-unfit",
                            "Choose another buffer; --buffer auto takes the best that works"),
                    Remedy.of(
                            "no-peer-verify",
                            "Use --verify host, which reads both sides into host memory"),
                    Remedy.of(
                            "target-carries-data",
                            "Name another target; if nothing on {target} is needed any more, add"
                                    + " --overwrite"),
                    Remedy.of(
                            "target-not-read",
                            "Check the drive; if nothing on {target} is needed any more, add"
                                    + " --overwrite"),
                    Remedy.of("not-bound", "Bind it: 'peerlane bind {function}'"),
                    Remedy.of(
                            "not-nvme",
                            "Name an NVMe function, or add --force-class if this one is meant",
                            "function"),
                    Remedy.of(
                            "device-shared",
                            "Make sure that no other host or controller uses it, then add"
                                    + " --shared-ok"),
                    Remedy.of(
                            "group-not-viable",
                            "Bind them together ('peerlane bind {functions}') if you can do without"
                                    + " them, or put the drive into a slot with its own group;"
                                    + " 'peerlane doctor' explains"),
                    Remedy.of(
                            "group-not-viable",
                            "Put the drive into a slot with its own group; 'peerlane doctor'"
                                    + " explains",
                            "function"),
                    Remedy.of(
                            "group-not-viable",
                            "Run 'peerlane bind' on the drives among them too, or move the"
                                    + " drive to a slot with its own group",
                            "group"),
                    Remedy.of(
                            "group-not-opened",
                            "Check that 'peerlane bind' has bound its drives to vfio-pci; it"
                                    + " holds {functions}"),
                    Remedy.of(
                            "no-iommu",
                            "Turn it on in the firmware (VT-d, AMD-Vi), and Intel's with"
                                    + " intel_iommu=on on the kernel command line; 'peerlane"
                                    + " doctor' explains"),
                    Remedy.of(
                            "vfio-user-not-connected",
                            "Check that a server, such as 'peerlane serve', listens there"),
                    Remedy.of(
                            "peer-unreachable",
                            "Use a server that does, such as 'peerlane serve'",
                            "bar"),
                    Remedy.of(
                            "peer-unreachable",
                            "Use a server that keeps them apart, such as 'peerlane serve'",
                            "owner"),
                    Remedy.of(
                            "no-such-device",
                            "'peerlane topology' shows all functions",
                            "function"),
                    Remedy.of(
                            "file-exists",
                            "Restore from it first, or name another file after --save",
                            "kept"),
                    Remedy.of("no-fabric-file", "Name an existing file after --fabric", "missing"),
                    Remedy.of(
                            "no-fabric-file",
                            "Name a readable text file in UTF-8 after --fabric",
                            "unreadable"),
                    Remedy.of("no-fabric-file", "Name a file after --fabric", "input"),
                    Remedy.of(
                            "no-fabric-file",
                            "Name a file with kind: qemu, socket: and ram: after --fabric",
                            "device"),
                    Remedy.of("bad-acs-file", "Name the file that 'peerlane acs disable' wrote"),
                    Remedy.of("acs-moved", "Check 'peerlane acs show': the machine has changed"),
                    Remedy.of("acs-changed", "Check 'peerlane acs show' and decide yourself"),
                    Remedy.of(
                            "bad-capture",
                            "Name a file of 'peerlane capture', or a directory with sys and proc in"
                                    + " it"));

    private Remedies() {}

    /** Returns the program's remedy for an error. */
    public static String of(PeerlaneException e) {
        return TABLE.stream()
                .filter(r -> r.fits(e))
                .findFirst()
                .map(r -> r.filled(e.values()))
                .orElseGet(e::remedy);
    }

    /** Returns message and remedy as the program prints them. */
    public static String explain(PeerlaneException e) {
        return e.explain(of(e));
    }
}
