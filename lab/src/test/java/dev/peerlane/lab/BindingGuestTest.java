package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests moving functions to vfio-pci and back, and every refusal that a guest can show: mounted,
 * swap, md, device mapper, running root, shared by two controllers, bridges, others.
 */
@Tag("guest")
class BindingGuestTest {
    private static final int PARTITION_TABLE = 446;
    private static final int FREE_BYTES = 1 << 20;

    @AutoClose private static GuestRun run;

    @BeforeAll
    static void boot() {
        run =
                Guest.named("binding")
                        .limit(Duration.ofMinutes(6))
                        .iommu(39)
                        .drive(Drive.named("free").behindSwitch("sw"))
                        .drive(Drive.named("mounted").behindSwitch("sw"))
                        .drive(Drive.named("swap").behindSwitch("sw"))
                        .drive(Drive.named("md").behindSwitch("sw"))
                        .drive(Drive.named("dm").behindSwitch("sw"))
                        .drive(Drive.named("elsewhere").behindSwitch("sw"))
                        .drive(Drive.named("left").inSubsystem("pair"))
                        .drive(Drive.named("right").inSubsystem("pair"))
                        .drive(Drive.named("flat0").behindSwitch("flat").withoutAcs())
                        .drive(Drive.named("flat1").behindSwitch("flat"))
                        .prepare(BindingGuestTest::fill)
                        .tests(
                                "not-bound",
                                "inventory",
                                "refuse-others",
                                "refuse-shared",
                                "round-trip",
                                "undo",
                                "unbind-in-use",
                                "group-not-viable",
                                "bind-for-another")
                        .step(
                                """
                                mke2fs -F $(block mounted)p1 >/dev/null
                                mount -t ext4 $(block mounted)p1 /mnt || mount -t ext2 $(block mounted)p1 /mnt
                                mkswap $(block swap) >/dev/null && swapon $(block swap)
                                modprobe md-mod
                                echo md7 >/sys/module/md_mod/parameters/new_array
                                cd /sys/block/md7/md
                                echo none >metadata_version
                                cat /sys/block/$(cat /tmp/block-md)/dev >new_dev
                                cd /
                                modprobe dm-mod
                                mke2fs -F $(block pair) >/dev/null
                                mkdir /tmp/pair
                                mount -t ext4 $(block pair) /tmp/pair || mount -t ext2 $(block pair) /tmp/pair
                                cat /proc/mounts /proc/swaps /proc/mdstat
                                """)
                        .step(
                                """
                                mke2fs -F $(block elsewhere) >/dev/null
                                mkdir /tmp/elsewhere
                                unshare -m sh -c "mount -t ext4 $(block elsewhere) /tmp/elsewhere || mount -t ext2 $(block elsewhere) /tmp/elsewhere; touch /tmp/mounted-elsewhere; exec sleep 1000" &
                                await /tmp/mounted-elsewhere
                                """)
                        .tests(
                                "unbind-of-another",
                                "refuse-mounted",
                                "refuse-elsewhere",
                                "refuse-swap",
                                "refuse-md",
                                "refuse-dm",
                                "refuse-shared-mounted")
                        .step(
                                """
                                for folder in bin java lib lib64 guest proc sys dev tmp; do
                                  mkdir -p /mnt/$folder && mount -o bind /$folder /mnt/$folder
                                done
                                java="exec chroot /mnt${java#exec}"
                                """)
                        .step(
                                """
                                sh -c 'touch /tmp/opened; exec sleep 1000' <$(block free) &
                                await /tmp/opened
                                """)
                        .tests("refuse-open", "refuse-root")
                        .run();
    }

    /** Writes a partition over most of one drive, and data on another. */
    private static void fill(String drive, Path image) throws IOException {
        if (drive.equals("mounted")) {
            ByteBuffer sector = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
            sector.put(PARTITION_TABLE + 4, (byte) 0x83);
            sector.putInt(PARTITION_TABLE + 8, 2048);
            sector.putInt(PARTITION_TABLE + 12, 24_000);
            sector.putShort(510, (short) 0xaa55);
            Data.write(image, 0, sector.array());
        } else if (drive.equals("free")) {
            Data.write(image, 0, Data.random(6, FREE_BYTES));
        }
    }

    @Test
    void aFunctionGoesToVfioPciAndBackWithItsData() throws IOException {
        run.passed("round-trip");
        run.passed("undo");
        assertThat(Data.read(run.image("free"), 0, FREE_BYTES))
                .isEqualTo(Data.random(6, FREE_BYTES));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "refuse-mounted",
                "refuse-elsewhere",
                "refuse-open",
                "refuse-root",
                "refuse-swap",
                "refuse-md",
                "refuse-dm",
                "refuse-shared",
                "refuse-shared-mounted",
                "refuse-others",
            })
    void whatIsInUseIsNotBound(String test) {
        run.passed(test);
    }

    @Test
    void aFunctionThatAProgramHasIsNotUnbound() {
        run.passed("unbind-in-use");
    }

    @Test
    void anotherProcessPutsBackWhatBindFound() {
        run.passed("bind-for-another");
        run.passed("unbind-of-another");
    }

    @Test
    void openingSaysWhatIsInTheWay() {
        run.passed("not-bound");
        run.passed("group-not-viable");
    }

    @Test
    void everyNvmeFunctionIsListed() {
        assertThat(run.passed("inventory")).contains("QEMU NVMe Ctrl");
    }
}
