package dev.peerlane.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.DsmRange;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Sgl;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class EntryTest {
    /** An unaligned offset, because entries are read in place. */
    private static final long ODD = 3;

    private static MemorySegment bytes(String hex) {
        return MemorySegment.ofArray(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @Test
    void entriesHaveTheSizesOfTheSpecification() {
        assertThat(Sqe.BYTES).isEqualTo(64);
        assertThat(Cqe.BYTES).isEqualTo(16);
        assertThat(Sgl.BYTES).isEqualTo(16);
        assertThat(DsmRange.BYTES).isEqualTo(16);
    }

    @Test
    void writeOf8BlocksIsComposedAsTheSpecificationLaysItOut() {
        MemorySegment entry = MemorySegment.ofArray(new byte[Sqe.BYTES + 3]);
        Sqe.putCdw0(entry, ODD, Sqe.cdw0(NvmOpcode.WRITE, 0xBEEF));
        Sqe.putNsid(entry, ODD, 1);
        Sqe.putPrp1(entry, ODD, 0x0000_0001_2345_6000L);
        Sqe.putPrp2(entry, ODD, 0x0000_0001_2345_7000L);
        Sqe.putCdw10(entry, ODD, NvmCommand.cdw10(0x1_0000_0002L));
        Sqe.putCdw11(entry, ODD, NvmCommand.cdw11(0x1_0000_0002L));
        Sqe.putCdw12(entry, ODD, NvmCommand.cdw12(8, true));
        String expected =
                "0100EFBE 01000000 00000000 00000000 0000000000000000"
                        + " 0060452301000000 0070452301000000"
                        + " 02000000 01000000 07000040 00000000 00000000 00000000";
        assertThat(entry.asSlice(ODD).mismatch(bytes(expected))).isEqualTo(-1);
        assertThat(Sqe.opcode(entry, ODD)).isEqualTo(NvmOpcode.WRITE);
        assertThat(Sqe.cid(entry, ODD)).isEqualTo(0xBEEF);
        assertThat(Sqe.prp2(entry, ODD)).isEqualTo(0x1_2345_7000L);
        assertThat(NvmCommand.slba(Sqe.cdw10(entry, ODD), Sqe.cdw11(entry, ODD)))
                .isEqualTo(0x1_0000_0002L);
        assertThat(NvmCommand.blocks(Sqe.cdw12(entry, ODD))).isEqualTo(8);
        assertThat(NvmCommand.fua(Sqe.cdw12(entry, ODD))).isTrue();
    }

    @Test
    void sqeBitsMoveOneFieldEach() {
        WalkingOnes.overBytes(MemorySegment.ofArray(new byte[Sqe.BYTES]), s -> s)
                .bits("OPC", 7, 0, s -> Sqe.opcode(s, 0))
                .bits("FUSE", 9, 8, s -> Sqe.fuse(s, 0))
                .bits("PSDT", 15, 14, s -> Sqe.psdt(s, 0))
                .bits("CID", 31, 16, s -> Sqe.cid(s, 0))
                .bytes("NSID", 4, 4, s -> Sqe.nsid(s, 0))
                .bytes("CDW2", 8, 4, s -> Sqe.cdw2(s, 0))
                .bytes("CDW3", 12, 4, s -> Sqe.cdw3(s, 0))
                .bytes("MPTR", 16, 8, s -> Sqe.mptr(s, 0))
                .bytes("PRP1", 24, 8, s -> Sqe.prp1(s, 0))
                .bytes("PRP2", 32, 8, s -> Sqe.prp2(s, 0))
                .bytes("CDW10", 40, 4, s -> Sqe.cdw10(s, 0))
                .bytes("CDW11", 44, 4, s -> Sqe.cdw11(s, 0))
                .bytes("CDW12", 48, 4, s -> Sqe.cdw12(s, 0))
                .bytes("CDW13", 52, 4, s -> Sqe.cdw13(s, 0))
                .bytes("CDW14", 56, 4, s -> Sqe.cdw14(s, 0))
                .bytes("CDW15", 60, 4, s -> Sqe.cdw15(s, 0))
                .check();
    }

    @Test
    void everySqeWriterWritesWhatItsReaderReads() {
        MemorySegment s = MemorySegment.ofArray(new byte[Sqe.BYTES]);
        Sqe.putCdw0(s, 0, Sqe.cdw0(0xFF, Sqe.FUSE_SECOND, Sqe.PSDT_SGL, 0xFFFF));
        assertThat(Sqe.cdw0(s, 0)).isEqualTo(0xFFFF_42FF);
        Sqe.putCdw2(s, 0, 2);
        Sqe.putCdw3(s, 0, 3);
        Sqe.putMptr(s, 0, -4L);
        Sqe.putCdw13(s, 0, 13);
        Sqe.putCdw14(s, 0, 14);
        Sqe.putCdw15(s, 0, 15);
        assertThat(Sqe.cdw2(s, 0)).isEqualTo(2);
        assertThat(Sqe.cdw3(s, 0)).isEqualTo(3);
        assertThat(Sqe.mptr(s, 0)).isEqualTo(-4L);
        assertThat(Sqe.cdw13(s, 0)).isEqualTo(13);
        assertThat(Sqe.cdw14(s, 0)).isEqualTo(14);
        assertThat(Sqe.cdw15(s, 0)).isEqualTo(15);
    }

    @Test
    void cqeBitsMoveOneFieldEach() {
        WalkingOnes.overBytes(MemorySegment.ofArray(new byte[Cqe.BYTES]), s -> s)
                .bytes("DW0", 0, 4, s -> Cqe.dw0(s, 0))
                .bytes("DW1", 4, 4, s -> Cqe.dw1(s, 0))
                .bytes("SQHD", 8, 2, s -> Cqe.sqhd(s, 0))
                .bytes("SQID", 10, 2, s -> Cqe.sqid(s, 0))
                .bytes("CID", 12, 2, s -> Cqe.cid(s, 0))
                .bit("P", 112, s -> Cqe.phase(s, 0))
                .bits("STATUS", 127, 113, s -> Cqe.status(s, 0))
                .check();
        WalkingOnes.overLong(Long::valueOf)
                .bits("SQHD", 15, 0, Cqe::sqhdOf)
                .bits("SQID", 31, 16, Cqe::sqidOf)
                .bits("CID", 47, 32, Cqe::cidOf)
                .bit("P", 48, Cqe::phaseOf)
                .bits("STATUS", 63, 49, Cqe::statusOf)
                .check();
    }

    @Test
    void completionWithWriteFaultIsReadFromItsBytes() {
        // Status 4280h (do not retry) shifted by the phase tag: 8501h.
        MemorySegment entry = bytes("78563412 00000000 0A00 0300 EFBE 0185");
        assertThat(Cqe.dw0(entry, 0)).isEqualTo(0x1234_5678);
        assertThat(Cqe.sqhd(entry, 0)).isEqualTo(10);
        assertThat(Cqe.sqid(entry, 0)).isEqualTo(3);
        assertThat(Cqe.cid(entry, 0)).isEqualTo(0xBEEF);
        assertThat(Cqe.phase(entry, 0)).isEqualTo(1);
        assertThat(Cqe.status(entry, 0)).isEqualTo(Status.WRITE_FAULT | Status.DO_NOT_RETRY);

        MemorySegment copy = MemorySegment.ofArray(new byte[Cqe.BYTES]);
        Cqe.putDw01(copy, 0, 0x1234_5678, 0);
        Cqe.putDw23(copy, 0, Cqe.dw23(10, 3, 0xBEEF, 0x4280, 1));
        assertThat(copy.mismatch(entry)).isEqualTo(-1);
        assertThat(Cqe.dw23(copy, 0)).isEqualTo(Cqe.dw23(entry, 0));
    }

    @Test
    void sglBitsMoveOneFieldEach() {
        WalkingOnes.overBytes(MemorySegment.ofArray(new byte[Sgl.BYTES]), s -> s)
                .bytes("address", 0, 8, s -> Sgl.address(s, 0))
                .bytes("length", 8, 4, s -> Sgl.lengthBytes(s, 0))
                .bits("subtype", 123, 120, s -> Sgl.subtype(s, 0))
                .bits("type", 127, 124, s -> Sgl.type(s, 0))
                .check();
    }

    @Test
    void sglOverwritesAll16Bytes() {
        MemorySegment s = MemorySegment.ofArray(new byte[Sgl.BYTES]);
        s.fill((byte) -1);
        Sgl.put(s, 0, Sgl.LAST_SEGMENT, 0x1122, 0xFFFF_FFFFL);
        assertThat(s.mismatch(bytes("2211000000000000 FFFFFFFF 000000 30"))).isEqualTo(-1);
    }

    @Test
    void dsmRangeIsNotZeroBased() {
        MemorySegment s = MemorySegment.ofArray(new byte[DsmRange.BYTES]);
        s.fill((byte) -1);
        DsmRange.put(s, 0, 0x10, 0x20);
        assertThat(s.mismatch(bytes("00000000 20000000 1000000000000000"))).isEqualTo(-1);
        assertThatThrownBy(() -> DsmRange.put(s, 0, 0, 1L << 32))
                .isInstanceOf(IllegalArgumentException.class);
        WalkingOnes.overBytes(MemorySegment.ofArray(new byte[DsmRange.BYTES]), m -> m)
                .bytes("attributes", 0, 4, m -> DsmRange.cattr(m, 0))
                .bytes("length", 4, 4, m -> DsmRange.blocks(m, 0))
                .bytes("slba", 8, 8, m -> DsmRange.slba(m, 0))
                .check();
    }
}
