package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.open.Extent;
import dev.peerlane.open.Session;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.Receipt;
import java.io.RandomAccessFile;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("qemu")
class CopyTest {
    @Test
    void smoke() throws Exception {
        try (Qemu qemu =
                Qemu.machine()
                        .drive(Drive.named("a").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("b").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("c").cmbMib(4))
                        .start()) {
            byte[] data = new byte[8 << 20];
            new SplittableRandom(1).nextBytes(data);
            try (RandomAccessFile f = new RandomAccessFile(qemu.image("a").toFile(), "rw")) {
                f.write(data);
            }
            try (Session session = Session.of(qemu.attach())) {
                List<String> l = session.fabric().locators();
                for (BufferChoice choice :
                        List.of(
                                BufferChoice.AUTO,
                                BufferChoice.SOURCE,
                                BufferChoice.device(l.get(2)),
                                BufferChoice.HOST)) {
                    Receipt r =
                            session.copy(
                                    new Extent(l.get(0), 1, 0L, 16384L),
                                    new Extent(l.get(1), 1, 0L, null),
                                    CopyOptions.DEFAULTS.withBuffer(choice));
                    System.out.println(r);
                }
            }
            assertThat(qemu.image("b")).isNotNull();
        }
    }
}
