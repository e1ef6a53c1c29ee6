package dev.peerlane.diagnose;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.sysfs.ConfigReading;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * Captures the files of a machine that its verdicts need in a ZIP file: files of sysfs and procfs
 * under their own paths, and {@code links} with the symbolic links.
 *
 * <p>Of longer texts (command line, processor, kernel configuration) it keeps only the lines that
 * matter. Of the configuration spaces of bridges and drives it keeps what verdicts need. It does
 * not wake a suspended function. It reads serial numbers only on request.
 */
public final class Capture {
    private static final String MARK = "peerlane-capture";
    private static final String VERSION = "2";

    /** Versions that can be read. Version 1 has whole configuration spaces. */
    private static final Set<String> VERSIONS = Set.of("1", VERSION);

    private static final String LINKS = "links";
    private static final String KERNEL_CONFIG = "kernel/config";

    /** The ACPI table that describes AMD's IOMMUs. */
    static final String IVRS = "sys/firmware/acpi/tables/IVRS";

    /** Number of bytes of the table that are read: the header and IVinfo. */
    static final int IVRS_BYTES = 40;

    private static final int MAX_MARK_BYTES = 16;
    private static final int MAX_FILE_BYTES = 1 << 20;
    private static final int MAX_LINKS_BYTES = 8 << 20;
    private static final long MAX_TOTAL_BYTES = 64L << 20;
    private static final int MAX_NAMES = 200_000;
    private static final int MAX_PATH = 512;

    /**
     * Largest depth of a path. The deepest file that is read from a machine is 8 directories down.
     */
    private static final int MAX_DEPTH = 16;

    private static final List<String> WHOLE =
            List.of(
                    "sys/kernel/security/lockdown",
                    "sys/hypervisor/type",
                    "sys/class/dmi/id/sys_vendor",
                    "sys/class/dmi/id/product_name",
                    "proc/sys/kernel/osrelease",
                    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
                    "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
                    "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
                    "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");

    private static final List<String> OF_FUNCTION =
            List.of(
                    "vendor",
                    "device",
                    "class",
                    "resource",
                    "numa_node",
                    "driver_override",
                    "power/runtime_status",
                    "power/control",
                    "power_state",
                    "d3cold_allowed",
                    "aer_dev_correctable",
                    "aer_dev_nonfatal",
                    "aer_dev_fatal",
                    "p2pmem/size",
                    "p2pmem/available",
                    "p2pmem/published");

    private static final List<String> OF_LINK =
            List.of("current_link_speed", "current_link_width", "max_link_speed", "max_link_width");

    private static final List<String> OF_CONTROLLER = List.of("cmb", "cmbloc", "cmbsz");
    private static final Set<String> MODULES =
            Set.of("vfio", "vfio_pci", "vfio_pci_core", "vfio_iommu_type1", "iommufd", "nvme");

    private static final Pattern CPU_LINE =
            Pattern.compile("(vendor_id|cpu family|model|model name|flags)\\s*:.*");
    private static final Pattern PARAMETER =
            Pattern.compile(
                    "(pci|iommu|iommu\\.\\w+|intel_iommu|amd_iommu|pcie_\\w+|vfio\\S*|lockdown"
                            + "|\\w*hugepages\\w*|nvme(_core)?\\.(?!host)\\w+|hugepagesz)(=.*)?");
    private static final Pattern OPTION =
            Pattern.compile("(# )?CONFIG_\\w*(P2PDMA|VFIO|IOMMU|DMABUF|IO_STRICT)\\w*[= ].*");

    private final SystemFiles from;
    private final boolean serials;
    private final CapturedFiles to;
    private final Set<String> sleepers = new HashSet<>();

    private Capture(SystemFiles from, boolean serials) {
        this.from = from;
        this.serials = serials;
        to = new CapturedFiles("a capture of " + from.origin());
    }

    /**
     * Takes a capture.
     *
     * @param from the files of the system
     * @param serials whether to keep serial numbers
     */
    public static CapturedFiles take(SystemFiles from, boolean serials) {
        Capture capture = new Capture(from, serials);
        capture.host();
        capture.sleepers.addAll(SysfsTree.asleep(from));
        for (String name : from.list(SysfsTree.DEVICES)) {
            capture.function(SysfsTree.DEVICES + "/" + name);
        }
        return capture.to;
    }

    private void host() {
        WHOLE.forEach(this::copy);
        keep("proc/cpuinfo", Capture::firstCpu);
        keep("proc/cmdline", t -> words(t, PARAMETER));
        keep("proc/meminfo", t -> lines(t, Pattern.compile("Huge.*")));
        keep("proc/self/limits", t -> lines(t, Pattern.compile("Max locked memory.*")));
        keep("proc/self/status", t -> lines(t, Pattern.compile("CapEff:.*")));
        String config = kernelConfig(from);
        if (!config.isEmpty()) {
            to.put(KERNEL_CONFIG, bytes(config));
        }
        for (String module : from.list("sys/module")) {
            if (MODULES.contains(module)) {
                to.put("sys/module/" + module + "/present", new byte[0]);
            }
        }
        for (String device : from.list("sys/class/misc")) {
            if (device.equals("vfio") || device.equals("iommu")) {
                to.put("sys/class/misc/" + device + "/present", new byte[0]);
            }
        }
        for (String unit : from.list("sys/class/iommu")) {
            to.put("sys/class/iommu/" + unit + "/present", new byte[0]);
            copy("sys/class/iommu/" + unit + "/intel-iommu/cap");
            copy("sys/class/iommu/" + unit + "/intel-iommu/ecap");
            copy("sys/class/iommu/" + unit + "/amd-iommu/features");
        }
        byte[] ivrs = from.bytes(IVRS, IVRS_BYTES);
        if (ivrs != null) {
            to.put(IVRS, ivrs);
        }
        for (String group : from.list("sys/kernel/iommu_groups")) {
            copy("sys/kernel/iommu_groups/" + group + "/type");
            copy("sys/kernel/iommu_groups/" + group + "/name");
            copy("sys/kernel/iommu_groups/" + group + "/reserved_regions");
        }
    }

    private void function(String directory) {
        boolean asleep = sleepers.contains(directory.substring(directory.lastIndexOf('/') + 1));
        if (!asleep && isLookedAt(directory)) {
            ConfigReading config = ConfigReading.of(from, directory, serials);
            to.put(directory + "/config", config.bytes());
            to.put(directory + "/" + ConfigReading.RANGES, bytes(config.ranges()));
        }
        if (!asleep) {
            OF_LINK.forEach(
                    name -> copy(directory + "/" + name)); // reading these accesses the device
        }
        OF_FUNCTION.forEach(name -> copy(directory + "/" + name));
        for (String controller : from.list(directory + "/nvme")) {
            OF_CONTROLLER.forEach(n -> copy(directory + "/nvme/" + controller + "/" + n));
            if (serials) {
                copy(directory + "/nvme/" + controller + "/serial");
            }
        }
        for (String name : List.of("", "/driver", "/iommu_group")) {
            String target = from.link(directory + name);
            if (target != null) {
                to.putLink(directory + name, target);
            }
        }
    }

    /**
     * Returns whether a function is read: bridges and drives are, and so is any function without a
     * class file, as in an incomplete copy.
     */
    private boolean isLookedAt(String directory) {
        String classCode = from.text(directory + "/class");
        return classCode == null
                || classCode.startsWith("0x0604")
                || classCode.startsWith("0x0108");
    }

    private void copy(String path) {
        byte[] content = from.bytes(path, SystemFiles.TEXT_BYTES);
        if (content != null) {
            to.put(path, content);
        }
    }

    private void keep(String path, java.util.function.UnaryOperator<String> part) {
        String text = from.text(path);
        if (text != null) {
            to.put(path, bytes(part.apply(text) + "\n"));
        }
    }

    private static String firstCpu(String text) {
        int end = text.indexOf("\n\n");
        return lines(end < 0 ? text : text.substring(0, end), CPU_LINE);
    }

    private static String lines(String text, Pattern wanted) {
        return text.lines()
                .filter(l -> wanted.matcher(l).matches())
                .collect(Collectors.joining("\n"));
    }

    private static String words(String text, Pattern wanted) {
        return Stream.of(text.split("\\s+", -1))
                .filter(w -> wanted.matcher(w).matches())
                .collect(Collectors.joining(" "));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Returns the relevant lines of the kernel's configuration; empty if it can't be read. */
    static String kernelConfig(SystemFiles files) {
        String kept = files.text(KERNEL_CONFIG);
        if (kept != null) {
            return kept;
        }
        byte[] packed = files.bytes("proc/config.gz", MAX_FILE_BYTES);
        if (packed != null) {
            try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
                return lines(text(in.readNBytes(2 * MAX_FILE_BYTES)), OPTION);
            } catch (IOException e) {
                return "";
            }
        }
        String release = files.text("proc/sys/kernel/osrelease");
        byte[] boot =
                release == null ? null : files.bytes("boot/config-" + release, MAX_FILE_BYTES);
        return boot == null ? "" : lines(text(boot), OPTION);
    }

    private static String text(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }

    /**
     * Writes a capture.
     *
     * @throws PeerlaneException of category REQUEST if the file exists, of category MACHINE if it
     *     can't be written
     */
    public static void write(CapturedFiles files, Path file) {
        StringBuilder links = new StringBuilder();
        files.links().forEach((p, t) -> links.append(p).append('\t').append(t).append('\n'));
        Map<String, byte[]> all = new TreeMap<>(files.files());
        all.put(LINKS, bytes(links.toString()));
        try (OutputStream out =
                        Files.newOutputStream(file, java.nio.file.StandardOpenOption.CREATE_NEW);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            entry(zip, MARK, bytes(VERSION + "\n"));
            for (Map.Entry<String, byte[]> each : all.entrySet()) {
                entry(zip, each.getKey(), each.getValue());
            }
        } catch (java.nio.file.FileAlreadyExistsException e) {
            throw PeerlaneException.request(
                    "file-exists", file + " exists already", "Name another file");
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "capture-not-written",
                    "the capture can't be written to %s: %s".formatted(file, e),
                    "Name a writable file",
                    e);
        }
    }

    private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(0); // no time stamp, so that the same files give the same bytes
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /**
     * Opens a capture, or a directory that is laid out like {@code /}, with {@code sys} and {@code
     * proc}. Nothing is unpacked.
     *
     * @throws PeerlaneException of category REQUEST if it is neither, or if it exceeds the size
     *     limits
     */
    public static SystemFiles open(Path from) {
        if (Files.isDirectory(from)) {
            return SystemFiles.of(from);
        }
        if (!Files.isRegularFile(from)) {
            throw bad(from, "there is no such file or directory");
        }
        CapturedFiles files = new CapturedFiles(from.toString());
        try (ZipInputStream zip =
                new ZipInputStream(new BufferedInputStream(Files.newInputStream(from)))) {
            read(zip, files, from);
        } catch (IOException | IllegalArgumentException e) {
            throw bad(from, String.valueOf(e.getMessage()));
        }
        return files;
    }

    private static void read(ZipInputStream zip, CapturedFiles files, Path from)
            throws IOException {
        ZipEntry entry = zip.getNextEntry();
        boolean marked = entry != null && entry.getName().equals(MARK);
        // each entry is read under its limit first: getNextEntry would inflate all the rest of it
        if (!marked || !VERSIONS.contains(text(bounded(zip, MAX_MARK_BYTES, MARK, from)).strip())) {
            throw bad(from, "it does not begin like a capture of version " + VERSION);
        }
        long total = 0;
        int names = 0;
        entry = zip.getNextEntry();
        while (entry != null) {
            String name = entry.getName();
            boolean isLinks = name.equals(LINKS);
            byte[] content = bounded(zip, isLinks ? MAX_LINKS_BYTES : MAX_FILE_BYTES, name, from);
            total += content.length + name.length();
            names++;
            if (isLinks) {
                names += links(text(content), files);
            } else if (isPlain(name)) {
                files.put(name, content);
            }
            if (total > MAX_TOTAL_BYTES) {
                throw bad(from, "it holds more than " + MAX_TOTAL_BYTES + " bytes");
            }
            if (names > MAX_NAMES) {
                throw bad(from, "it holds more than " + MAX_NAMES + " files and links");
            }
            entry = zip.getNextEntry();
        }
    }

    private static byte[] bounded(ZipInputStream zip, int limit, String name, Path from)
            throws IOException {
        byte[] content = zip.readNBytes(limit + 1);
        if (content.length > limit) {
            String start = name.substring(0, Math.min(name.length(), 60));
            throw bad(from, "its entry '" + start + "' holds more than " + limit + " bytes");
        }
        return content;
    }

    /** Reads the file of symbolic links. Returns the number of links. */
    private static int links(String text, CapturedFiles files) {
        String[] lines = text.split("\n", MAX_NAMES + 2);
        if (lines.length > MAX_NAMES) {
            return lines.length;
        }
        for (String line : lines) {
            int tab = line.indexOf('\t');
            if (tab > 0 && isPlain(line.substring(0, tab)) && line.length() - tab <= MAX_PATH) {
                files.putLink(line.substring(0, tab), line.substring(tab + 1));
            }
        }
        return lines.length;
    }

    private static boolean isPlain(String path) {
        return path.length() <= MAX_PATH
                && !path.startsWith("/")
                && !path.endsWith("/")
                && path.indexOf('\\') < 0
                && path.chars().filter(c -> c == '/').count() < MAX_DEPTH
                && !("/" + path + "/").contains("/../");
    }

    private static PeerlaneException bad(Path file, String why) {
        return PeerlaneException.request(
                "bad-capture",
                file + " is not a capture: " + why,
                "Name a file that a capture wrote, or a directory with sys and proc in it");
    }
}
