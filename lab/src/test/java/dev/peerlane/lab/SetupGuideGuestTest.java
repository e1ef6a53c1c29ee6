package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Runs docs/vfio-setup.md from the first command to the last undo, on a machine whose drives are
 * not yet bound. Each command is run as written, except for addresses, groups and the serial
 * number.
 */
@Tag("guest")
class SetupGuideGuestTest {
    private static final Path GUIDE = Path.of("../docs/vfio-setup.md");
    private static final Pattern COMMAND = Pattern.compile("(?m)^    (peerlane .*)$");
    private static final int COPIED_BYTES = 2048 * 512;

    private static final String FUNCTIONS =
            """
            a=$(sed -n "s/^ssd0 //p" /tmp/functions)
            b=$(sed -n "s/^ssd1 //p" /tmp/functions)
            group() { basename $(readlink /sys/bus/pci/devices/$1/iommu_group); }
            echo alice:x:1000:1000::/tmp:/bin/sh >>/etc/passwd
            echo root:x:0:0::/root:/bin/sh >>/etc/passwd
            chmod 1777 /tmp
            peerlane() { run_java dev.peerlane.cli.Main "$@" </dev/null; }
            alice() { (ulimit -l 262144; su alice -c "$java $tiers -cp $classes dev.peerlane.cli.Main $*" </dev/null); }
            guide() { # NAME COMMAND MORE
              text=$(echo "$2 $3" | sed "s/0000:01:00.0/$a/g; s/0000:02:00.0/$b/g; s/SERIAL-OF-THE-TARGET/ssd1/; \
                s/vfio.12/vfio\\/$(group $a)/; s/vfio.13/vfio\\/$(group $b)/")
              echo "guide: $text"
              if eval "$text" >/tmp/guide.out 2>&1; then verdict=passed; else verdict=failed; fi
              cat /tmp/guide.out
              $verdict $1 "$(tr '\\n' '|' </tmp/guide.out)"
            }
            """;

    private static final List<String> commands = new ArrayList<>();
    @AutoClose private static GuestRun run;

    private static Guest guide(Guest guest, String name, String command) {
        return guide(guest, name, command, "");
    }

    private static Guest guide(Guest guest, String name, String command, String more) {
        commands.add(command);
        return guest.step("guide %s '%s' '%s'".formatted(name, command, more));
    }

    @BeforeAll
    static void boot() {
        Guest guest =
                Guest.named("guide")
                        .limit(Duration.ofMinutes(6))
                        .iommu(39)
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(4))
                        .prepare((drive, image) -> {
                            if (drive.equals("ssd0")) {
                                Data.write(image, 0, Data.random(8, 4 << 20));
                            }
                        })
                        .step(FUNCTIONS);
        String both = " 0000:01:00.0 0000:02:00.0";
        guide(guest, "groups", "ls /sys/kernel/iommu_groups");
        guide(guest, "list", "peerlane list");
        guide(guest, "doctor", "peerlane doctor" + both, "|| [ $? = 2 ]");
        guide(guest, "dry-run", "peerlane bind" + both + " --dry-run");
        guest.step("guide bind 'peerlane bind" + both + "' --yes");
        guide(guest, "limit", "ulimit -l");
        guide(guest, "huge", "echo 64 > /proc/sys/vm/nr_hugepages");
        guide(guest, "not-huge", "echo 0 > /proc/sys/vm/nr_hugepages");
        guide(guest, "list-bound", "peerlane list" + both);
        guide(guest, "cmb", "peerlane cmb 0000:02:00.0");
        String copy = "peerlane copy 0000:01:00.0@0+2048 0000:02:00.0";
        guide(guest, "plan", copy + " --dry-run");
        guide(guest, "copy", copy + " --expect-serial SERIAL-OF-THE-TARGET", "--yes");
        guide(guest, "own", "chown alice /dev/vfio/12 /dev/vfio/13");
        guide(guest, "state", "mkdir -p -m 700 /run/peerlane/cmb && chown alice /run/peerlane/cmb");
        String alices = " 0000:01:00.0@2048+2048 0000:02:00.0@2048+2048";
        guest.step("guide alice 'alice copy" + alices + "' '--yes --json'");
        guest.step("guide alice-peer '! alice copy" + alices + "' '--yes --buffer target'");
        guide(guest, "disown", "chown root /dev/vfio/12 /dev/vfio/13 /run/peerlane/cmb");
        guide(guest, "unbind", "peerlane unbind" + both);
        guide(guest, "unbind-all", "peerlane unbind --all");
        guest.step(
                "guide drivers 'ls -l /sys/bus/pci/devices/0000:01:00.0/driver"
                        + " /sys/bus/pci/devices/0000:02:00.0/driver'");
        run = guest.run();
    }

    @Test
    void everyCommandIsInTheGuideAndEveryOneOfTheGuideIsRun() throws IOException {
        String text = Files.readString(GUIDE);
        assertThat(commands).allSatisfy(command -> assertThat(text).contains(command));
        COMMAND.matcher(text)
                .results()
                .map(found -> found.group(1))
                .forEach(command -> assertThat(commands).contains(command));
        run.outcomes().keySet().forEach(run::passed);
        assertThat(run.outcomes()).hasSizeGreaterThan(commands.size());
    }

    @Test
    void bindingIsShownDoneAndTakenBack() {
        assertThat(run.passed("list")).contains("nvme", "ssd0", "ssd1");
        assertThat(run.passed("doctor")).contains("NO-GO", "is with nvme");
        assertThat(run.passed("dry-run"))
                .contains(
                        "goes from nvme to vfio-pci.",
                        "modprobe vfio-pci",
                        "driver_override",
                        "driver/unbind",
                        "drivers_probe",
                        "Nothing was written.");
        assertThat(run.passed("bind")).contains("from nvme to vfio-pci");
        assertThat(run.passed("unbind")).contains("from vfio-pci to nvme");
        assertThat(run.passed("unbind-all")).contains("Nothing to do.");
        assertThat(run.passed("drivers")).contains("drivers/nvme").doesNotContain("vfio");
    }

    @Test
    void theFirstCopyArrives() throws IOException {
        assertThat(run.passed("plan")).contains("target-cmb");
        run.passed("copy");
        assertThat(Data.read(run.image("ssd1"), 0, COPIED_BYTES))
                .isEqualTo(Data.read(run.image("ssd0"), 0, COPIED_BYTES));
    }

    @Test
    void aUserWhoIsNotRootCopiesThroughHostMemoryAndIsToldWhy() throws IOException {
        assertThat(run.passed("alice")).contains("\"kind\" : \"host\"", "only root may");
        assertThat(run.passed("alice-peer")).contains("only root may");
        assertThat(Data.read(run.image("ssd1"), COPIED_BYTES, COPIED_BYTES))
                .isEqualTo(Data.read(run.image("ssd0"), COPIED_BYTES, COPIED_BYTES));
    }
}
