package dev.peerlane.binding;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SysfsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Reacts to writes into a fake sysfs as Linux does. */
final class FakeDrivers implements SystemWriter {
    final List<String> done = new ArrayList<>();
    final Set<String> loaded = new HashSet<>();
    boolean vfioRefuses;

    /** Sees every write before it takes effect. */
    Consumer<String> watcher = write -> {};

    int failAt = -1;

    private final SysfsWriter sysfs;
    private int count;

    FakeDrivers(SysfsWriter sysfs) {
        this.sysfs = sysfs;
    }

    void failAt(int k) {
        failAt = k;
        count = 0;
    }

    private void step(String what) throws IOException {
        done.add(what);
        watcher.accept(what);
        count++;
        if (count == failAt) {
            throw new IOException("Invalid argument");
        }
    }

    @Override
    public void load(String module) throws IOException {
        step("load " + module);
        loaded.add(module);
        sysfs.file("bus/pci/drivers/" + module + "/bind", "");
    }

    @Override
    public void write(Path file, String text) throws IOException {
        Path name = sysfs.root().relativize(file);
        step(name + "=" + text.strip());
        if (!Files.exists(file) && !name.endsWith("drivers_probe")) {
            throw new NoSuchFileException(file.toString());
        }
        String last = String.valueOf(file.getFileName());
        if (last.equals("driver_override")) {
            Bdf bdf = Bdf.parse(String.valueOf(file.getParent().getFileName()));
            sysfs.text(bdf, last, text.isBlank() ? "(null)\n" : text);
            return;
        }
        Bdf bdf = Bdf.parse(text.strip());
        SysfsFunction function = SysfsTree.list(sysfs.root()).function(bdf).orElseThrow();
        String override = function.driverOverride();
        switch (last) {
            case "unbind" -> sysfs.driver(bdf, null);
            case "drivers_probe" -> {
                String driver =
                        override != null ? override : function.function().isNvme() ? "nvme" : null;
                boolean refused = vfioRefuses && "vfio-pci".equals(driver);
                if (driver != null && loaded.contains(driver) && !refused) {
                    sysfs.driver(bdf, driver);
                }
            }
            case "bind" -> {
                String driver = String.valueOf(file.getParent().getFileName());
                if (override != null && !override.equals(driver)) {
                    throw new IOException("No such device");
                }
                sysfs.driver(bdf, driver);
            }
            default -> throw new IOException("no such file: " + file);
        }
    }
}
