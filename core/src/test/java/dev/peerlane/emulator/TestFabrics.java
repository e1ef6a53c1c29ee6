package dev.peerlane.emulator;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Descriptions of fabrics for tests, all in virtual time. */
final class TestFabrics {
    static final long MIB = 1 << 20;

    private TestFabrics() {}

    static FabricModel.Builder virtual() {
        return FabricModel.builder().time(FabricModel.Time.VIRTUAL);
    }

    /** Returns a drive of 16 MiB in blocks of 512 bytes with a CMB of 1 MiB. */
    static DriveModel.Builder drive(String name) {
        return DriveModel.named(name).memory(16 * MIB, 512).cmb(CmbModel.of(MIB));
    }

    static EmulatedFabric one(DriveModel.Builder drive) {
        return new EmulatedFabric(virtual().drive(drive.build()).build());
    }

    static EmulatedFabric two() {
        return new EmulatedFabric(
                virtual().drive(drive("a").build()).drive(drive("b").build()).build());
    }

    /** Enables a 1.4 CMB at an address, the high half first. */
    static void enableCmb(MiniDriver driver, long address) {
        driver.bar.store32(Reg.CMBMSC, 1);
        driver.bar.store32(Reg.CMBMSC + 4, (int) (address >>> 32));
        driver.bar.store32(Reg.CMBMSC, (int) address | 3);
    }

    static void randomize(MemorySegment segment, long seed) {
        byte[] bytes = new byte[Math.toIntExact(segment.byteSize())];
        new SplittableRandom(seed).nextBytes(bytes);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, segment, 0, bytes.length);
    }
}
