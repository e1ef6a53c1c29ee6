package dev.peerlane.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.spec.layout.Wire;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.NamespaceList;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

final class PageTest {
    private final MemorySegment page = MemorySegment.ofArray(new byte[4096]);
    private final IdentifyController controller = new IdentifyController(page);
    private final IdentifyNamespace namespace = new IdentifyNamespace(page);

    @Test
    void shortPageIsRefused() {
        MemorySegment tooShort = MemorySegment.ofArray(new byte[4095]);
        assertThatThrownBy(() -> new IdentifyController(tooShort))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4096")
                .hasMessageContaining("4095");
        assertThatThrownBy(() -> new IdentifyNamespace(tooShort))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NamespaceList(tooShort))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NamespaceDescriptors(tooShort))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SmartLog(tooShort.asSlice(0, 511)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ErrorLogEntry(tooShort.asSlice(0, 63)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void pageOfAllOnesIsReadWithoutAnException() {
        page.fill((byte) -1);
        assertThat(controller.nn()).isEqualTo(0xFFFF_FFFFL);
        assertThat(controller.sn()).isEqualTo("?".repeat(20));
        assertThat(controller.maxTransferBytes(1 << 27)).isEqualTo(Long.MAX_VALUE);
        assertThat(controller.maxSqeBytes()).isEqualTo(1 << 15);
        assertThat(namespace.format().dataBytes()).isZero();
        assertThat(namespace.formatIndex()).isEqualTo(63);
        assertThat(namespace.nsze()).isEqualTo(-1L);
        assertThat(new NamespaceList(page).count()).isEqualTo(1024);
        assertThat(new NamespaceDescriptors(page).uuid()).isEmpty();
    }

    @Test
    void textIsTrimmedAndMadePrintable() {
        IdentifyController.SN.writeText(page, "S3RIAL 1");
        IdentifyController.MN.writeBytes(
                page,
                "  A\u0007B\u0000C".concat(" ".repeat(33)).getBytes(StandardCharsets.US_ASCII));
        IdentifyController.SUBNQN.writeZeroTerminated(page, "nqn.2014-08.org.nvmexpress:x");
        assertThat(controller.sn()).isEqualTo("S3RIAL 1");
        assertThat(page.get(Wire.U8, 4 + 19)).isEqualTo((byte) ' ');
        assertThat(controller.mn()).isEqualTo("A?B?C");
        assertThat(controller.subnqn()).isEqualTo("nqn.2014-08.org.nvmexpress:x");
        assertThat(controller.fr()).isEmpty();
        assertThatThrownBy(() -> IdentifyController.FR.writeText(page, "123456789"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void mdtsCountsMinimumPages() {
        assertThat(controller.maxTransferBytes(4096)).isEqualTo(Long.MAX_VALUE);
        IdentifyController.MDTS.write(page, 5);
        assertThat(controller.maxTransferBytes(4096)).isEqualTo(128 << 10);
        assertThat(controller.maxTransferBytes(65_536)).isEqualTo(2 << 20);
    }

    @Test
    void zeroBasedFieldsHaveACountedForm() {
        IdentifyController.ACL.write(page, 3);
        IdentifyController.AERL.write(page, 4);
        IdentifyController.ELPE.write(page, 63);
        assertThat(controller.abortLimit()).isEqualTo(4);
        assertThat(controller.asyncEventLimit()).isEqualTo(5);
        assertThat(controller.errorLogEntries()).isEqualTo(64);
    }

    @Test
    void entrySizesArePowersOfTwo() {
        IdentifyController.SQES.write(page, 0x66);
        IdentifyController.CQES.write(page, 0x54);
        assertThat(controller.requiredSqeBytes()).isEqualTo(64);
        assertThat(controller.maxSqeBytes()).isEqualTo(64);
        assertThat(controller.requiredCqeBytes()).isEqualTo(16);
        assertThat(controller.maxCqeBytes()).isEqualTo(32);
    }

    @Test
    void versionIsThatOfTheController() {
        IdentifyController.VER.write(page, 0x0001_0400);
        assertThat(controller.ver()).isEqualTo(Vs.of(1, 4, 0));
    }

    @Test
    void capabilityBitsOfTheControllerHaveTheirAccessors() {
        controllerBit(IdentifyController.CMIC, 0, IdentifyController::isMultiPort);
        controllerBit(IdentifyController.CMIC, 1, IdentifyController::isMultiController);
        controllerBit(IdentifyController.CMIC, 3, IdentifyController::hasAna);
        controllerBit(IdentifyController.CTRATT, 16, IdentifyController::mdtsExcludesMetadata);
        controllerBit(IdentifyController.OACS, 1, IdentifyController::supportsFormat);
        controllerBit(IdentifyController.OACS, 3, IdentifyController::supportsNamespaceManagement);
        controllerBit(IdentifyController.OACS, 8, IdentifyController::supportsDoorbellBuffer);
        controllerBit(IdentifyController.OACS, 9, IdentifyController::supportsGetLbaStatus);
        controllerBit(IdentifyController.LPA, 0, IdentifyController::hasSmartPerNamespace);
        controllerBit(IdentifyController.LPA, 1, IdentifyController::hasCommandEffectsLog);
        controllerBit(IdentifyController.LPA, 2, IdentifyController::hasExtendedLogData);
        controllerBit(IdentifyController.FUSES, 0, IdentifyController::fusesCompareAndWrite);
        controllerBit(IdentifyController.VWC, 0, IdentifyController::hasVolatileWriteCache);
        controllerBit(
                IdentifyController.OAES, 8, IdentifyController::supportsNamespaceAttributeNotices);
        controllerBit(IdentifyController.ONCS, 0, c -> c.oncs().compare());
        IdentifyController.VWC.write(page, 0b110);
        assertThat(controller.flushAllBehavior()).isEqualTo(3);
        IdentifyController.SGLS.write(page, 0xF0002);
        assertThat(controller.sglSupport()).isEqualTo(2);
    }

    private void controllerBit(WireField field, int bit, Predicate<IdentifyController> accessor) {
        long all = field.bytes() == 8 ? -1L : (1L << (Byte.SIZE * field.bytes())) - 1;
        field.write(page, 1L << bit);
        assertThat(accessor.test(controller)).as("bit %d of %s", bit, field).isTrue();
        field.write(page, all & ~(1L << bit));
        assertThat(accessor.test(controller)).as("no bit %d of %s", bit, field).isFalse();
        field.write(page, 0);
    }

    @Test
    void capabilityBitsOfTheNamespaceHaveTheirAccessors() {
        namespaceBit(IdentifyNamespace.NSFEAT, 0, IdentifyNamespace::isThinProvisioned);
        namespaceBit(IdentifyNamespace.NSFEAT, 1, IdentifyNamespace::hasOwnAtomicUnits);
        namespaceBit(IdentifyNamespace.NSFEAT, 2, IdentifyNamespace::supportsDulbe);
        namespaceBit(IdentifyNamespace.NSFEAT, 3, IdentifyNamespace::neverReusesIds);
        namespaceBit(IdentifyNamespace.NSFEAT, 4, IdentifyNamespace::hasOptimalWriteHints);
        namespaceBit(IdentifyNamespace.FLBAS, 4, IdentifyNamespace::metadataInLine);
        namespaceBit(IdentifyNamespace.NMIC, 0, IdentifyNamespace::isShared);
        namespaceBit(IdentifyNamespace.FPI, 7, IdentifyNamespace::reportsFormatProgress);
        namespaceBit(IdentifyNamespace.DLFEAT, 3, IdentifyNamespace::deallocatesOnWriteZeroes);
        namespaceBit(IdentifyNamespace.NSATTR, 0, IdentifyNamespace::isWriteProtected);
        IdentifyNamespace.DLFEAT.write(page, 0b1_1001);
        assertThat(namespace.deallocatedRead()).isEqualTo(1);
        IdentifyNamespace.FPI.write(page, 0x80 | 42);
        assertThat(namespace.formatPercentLeft()).isEqualTo(42);
        IdentifyNamespace.DPS.write(page, 0b1010);
        assertThat(namespace.protectionType()).isEqualTo(2);
    }

    private void namespaceBit(WireField field, int bit, Predicate<IdentifyNamespace> accessor) {
        field.write(page, 1L << bit);
        assertThat(accessor.test(namespace)).as("bit %d of %s", bit, field).isTrue();
        field.write(page, 0xFF & ~(1L << bit));
        assertThat(accessor.test(namespace)).as("no bit %d of %s", bit, field).isFalse();
        field.write(page, 0);
    }

    @Test
    void formatInUseIsChosenByFlbas() {
        IdentifyNamespace.NLBAF.write(page, 1);
        IdentifyNamespace.lbafField(0).write(page, LbaFormat.of(0, 9, 2).raw());
        IdentifyNamespace.lbafField(1).write(page, LbaFormat.of(8, 12, 0).raw());
        assertThat(namespace.formats()).isEqualTo(2);
        assertThat(namespace.format().dataBytes()).isEqualTo(512);
        IdentifyNamespace.FLBAS.write(page, 0x11);
        assertThat(namespace.format().dataBytes()).isEqualTo(4096);
        assertThat(namespace.format().ms()).isEqualTo(8);
    }

    @Test
    void upperFormatBitsCountOnlyWithMoreThan16Formats() {
        IdentifyNamespace.FLBAS.write(page, 0x62);
        IdentifyNamespace.NLBAF.write(page, 15);
        assertThat(namespace.formatIndex()).isEqualTo(2);
        IdentifyNamespace.NULBAF.write(page, 1);
        assertThat(namespace.formatIndex()).isEqualTo(0x32);
        assertThatThrownBy(() -> namespace.lbaf(64)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void absurdBlockSizesAreNoSize() {
        assertThat(LbaFormat.of(0, 0, 0).dataBytes()).isZero();
        assertThat(LbaFormat.of(0, 8, 0).dataBytes()).isZero();
        assertThat(LbaFormat.of(0, 9, 0).dataBytes()).isEqualTo(512);
        assertThat(LbaFormat.of(0, 62, 0).dataBytes()).isEqualTo(1L << 62);
        assertThat(LbaFormat.of(0, 63, 0).dataBytes()).isZero();
        assertThat(LbaFormat.of(0, 255, 0).dataBytes()).isZero();
        assertThat(LbaFormat.of(8, 12, 3).raw()).isEqualTo(0x030C_0008);
    }

    @Test
    void identifiersAreBigEndian() {
        byte[] eui = {0x00, 0x25, 0x38, 1, 2, 3, 4, 5};
        IdentifyNamespace.EUI64.writeBytes(page, eui);
        assertThat(namespace.eui64()).isEqualTo("0025380102030405");
        assertThat(namespace.nguid()).isEqualTo("0".repeat(32));
    }

    @Test
    void activeListEndsAtTheFirstZero() {
        NamespaceList list = new NamespaceList(page);
        assertThat(list.toArray()).isEmpty();
        page.fill((byte) -1);
        NamespaceList.write(page, 1, 2, 0xFFFF_FFFE);
        assertThat(list.toArray()).containsExactly(1, 2, 0xFFFF_FFFE);
        assertThat(list.nsid(3)).isZero();
        assertThatThrownBy(() -> NamespaceList.write(page, new int[1025]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void descriptorsAreFoundInAnyOrder() {
        byte[] uuid = new byte[16];
        uuid[0] = 0x12;
        uuid[15] = 0x34;
        int next = NamespaceDescriptors.put(page, 0, NamespaceDescriptors.CSI, (byte) 2);
        next = NamespaceDescriptors.put(page, next, 0x7F, new byte[3]);
        next = NamespaceDescriptors.put(page, next, NamespaceDescriptors.UUID, uuid);
        next = NamespaceDescriptors.put(page, next, NamespaceDescriptors.NGUID, uuid);
        next = NamespaceDescriptors.put(page, next, NamespaceDescriptors.EUI64, new byte[8]);
        assertThat(next).isEqualTo(5 + 7 + 20 + 20 + 12);
        NamespaceDescriptors descriptors = new NamespaceDescriptors(page);
        assertThat(descriptors.csi()).hasValue(CommandSet.ZONED);
        assertThat(descriptors.uuid()).contains("12000000-0000-0000-0000-000000000034");
        assertThat(descriptors.nguid()).contains("12000000000000000000000000000034");
        assertThat(descriptors.eui64()).contains("0".repeat(16));
    }

    @Test
    void descriptorOfTheWrongLengthIsSkipped() {
        int next = NamespaceDescriptors.put(page, 0, NamespaceDescriptors.CSI, new byte[4]);
        NamespaceDescriptors.put(page, next, NamespaceDescriptors.CSI, (byte) 1);
        assertThat(new NamespaceDescriptors(page).csi()).hasValue(CommandSet.KEY_VALUE);
        page.fill((byte) 0);
        assertThat(new NamespaceDescriptors(page).csi()).isEmpty();
    }

    @Test
    void smartCountersAre128Bits() {
        BigInteger all = BigInteger.TWO.pow(128).subtract(BigInteger.ONE);
        SmartLog smart = new SmartLog(page);
        SmartLog.MEDIA_ERRORS.writeBig(page, all);
        assertThat(smart.mediaErrors()).isEqualTo(all);
        assertThat(smart.unsafeShutdowns()).isZero();
        assertThat(smart.errorLogEntries()).isZero();
        SmartLog.TEMPERATURE.write(page, 300);
        assertThat(smart.temperatureKelvin()).isEqualTo(300);
        SmartLog.sensorField(7).write(page, 301);
        assertThat(smart.sensorKelvin(7)).isEqualTo(301);
        assertThatThrownBy(() -> SmartLog.MEDIA_ERRORS.writeBig(page, all.add(BigInteger.ONE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SmartLog.MEDIA_ERRORS.writeBig(page, BigInteger.ONE.negate()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void errorLogEntryHoldsStatusAbovePhase() {
        ErrorLogEntry.STATUS.write(page, (0x4281 << 1) | 1);
        ErrorLogEntry entry = new ErrorLogEntry(page);
        assertThat(entry.status()).isEqualTo(Status.UNRECOVERED_READ_ERROR | Status.DO_NOT_RETRY);
        assertThat(entry.phase()).isEqualTo(1);
    }

    @Test
    void fieldRefusesWhatDoesNotFit() {
        assertThatThrownBy(() -> IdentifyController.MDTS.write(page, 256))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IdentifyController.NN.write(page, -1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IdentifyNamespace.EUI64.writeBytes(page, new byte[7]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IdentifyController.SN.read(page))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> IdentifyController.SN.write(page, 1))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> new WireField(0, 0)).isInstanceOf(IllegalArgumentException.class);
        IdentifyNamespace.NSZE.write(page, -1);
        assertThat(namespace.nsze()).isEqualTo(-1L);
    }
}
