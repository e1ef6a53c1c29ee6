package dev.peerlane.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.Mischief;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a BAR whose file the server truncates, in interpreted and in compiled code. */
class UserBarTest {
    private static final int WARM = 30_000;

    @TempDir private Path folder;

    private static void code(Runnable access) {
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, access::run);
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo("device-memory-fault");
        assertThat(e.getMessage()).contains("BAR 2 of vfio-user:x");
    }

    /**
     * The region's offset in the file counts: else an access to the last of several regions would
     * be a SIGBUS.
     */
    @Test
    void isShortenedWhenTheFileEndsBeforeTheRegionDoes() throws IOException {
        Path path = Files.write(folder.resolve("bars"), new byte[0x3000]);
        int fd = (int) KernelCalls.instance().open(path.toString(), Kernel.O_RDWR);
        UserRegion region =
                new UserRegion(2, 0x1000, 0x2000, List.of(new UserRegion.Area(0, 0x1000)), fd);
        try {
            assertThat(region.canShrink()).isTrue();
            assertThat(region.isShortened()).isFalse();
            assertThat(Mischief.resize(fd, 0x2fff)).isZero();
            assertThat(region.isShortened()).isTrue();
        } finally {
            region.close();
        }
    }

    @Test
    @SuppressWarnings("NullAway") // nothing is sent: all of the BAR is mapped
    void anAccessToTruncatedMemoryIsATypedFault() throws IOException {
        Path path = Files.write(folder.resolve("bar"), new byte[4096]);
        Kernel kernel = KernelCalls.instance();
        int fd = (int) kernel.open(path.toString(), Kernel.O_RDWR);
        UserRegion region = new UserRegion(2, 4096, 0, List.of(new UserRegion.Area(0, 4096)), fd);
        try (UserBar bar = new UserBar(null, "vfio-user:x", region, 0)) {
            for (int i = 0; i < WARM; i++) {
                bar.store32(8, i);
                bar.store64(16, bar.load32(8));
                assertThat(bar.load64(16) == i).isTrue();
            }
            assertThat(Mischief.resize(fd, 0)).isZero();
            for (int i = 0; i < 100; i++) {
                code(() -> bar.load32(8));
                code(() -> bar.load64(8));
                code(() -> bar.store32(8, 1));
                code(() -> bar.store64(8, 1));
            }
        } finally {
            region.close();
        }
    }
}
