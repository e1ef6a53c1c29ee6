package dev.peerlane.fuzz;

import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Fuzzes the emulated controller with random registers, doorbells, commands, PRPs and lists.
 * Nothing is thrown, every turn ends, and afterwards a driver can bring it up as usual.
 */
public final class ControllerTarget {
    private static final long KIB = 1024;
    private static final int ENTRIES = 16;
    private static final int PAGES = 8;
    private static final int PAGE = 4096;
    private static final int MOST_STEPS = 400;
    private static final int[] OPCODES = {
        AdminOpcode.IDENTIFY,
        AdminOpcode.GET_LOG_PAGE,
        AdminOpcode.SET_FEATURES,
        AdminOpcode.GET_FEATURES,
        AdminOpcode.ABORT,
        AdminOpcode.DELETE_IO_SQ,
        AdminOpcode.DELETE_IO_CQ,
        AdminOpcode.ASYNC_EVENT_REQUEST
    };
    private static final int[] IO_OPCODES = {
        NvmOpcode.READ,
        NvmOpcode.WRITE,
        NvmOpcode.COMPARE,
        NvmOpcode.FLUSH,
        NvmOpcode.WRITE_ZEROES,
        NvmOpcode.DATASET_MANAGEMENT,
        NvmOpcode.VERIFY
    };

    private final Input input;
    private final EmulatedFabric fabric;
    private final DmaBuffer memory;
    private final PciDevice device;
    private final Bar bar;
    private final int[] tails = new int[3];

    private ControllerTarget(Input input, EmulatedFabric fabric) {
        this.input = input;
        this.fabric = fabric;
        // pages: admin SQ, admin CQ, SQ 1, CQ 1, then data
        memory = fabric.dma().allocate((long) PAGES * PAGE);
        device = fabric.open("emu:a");
        bar = device.bar(0);
    }

    /** Runs one input. */
    public static void fuzzerTestOneInput(byte[] data) {
        Input input = new Input(data);
        int kind = input.int8();
        DriveModel drive =
                DriveModel.named("a").memory(64 * KIB, 512).cmb(CmbModel.of(64 * KIB)).build();
        DriveModel peer =
                DriveModel.named("b").memory(64 * KIB, 512).cmb(CmbModel.of(64 * KIB)).build();
        FabricModel model =
                FabricModel.builder()
                        .drive(drive)
                        .drive(peer)
                        .iommu((kind & 1) != 0)
                        .time(FabricModel.Time.VIRTUAL)
                        .build();
        try (EmulatedFabric fabric = new EmulatedFabric(model)) {
            new ControllerTarget(input, fabric).run((kind & 2) != 0);
        }
    }

    private void run(boolean broughtUp) {
        if (broughtUp) {
            bringUp();
        }
        for (int i = 0; i < MOST_STEPS && !input.isEmpty(); i++) {
            step(input.below(12));
        }
        device.reset();
        device.close();
        Controller.open(fabric, "emu:a", ControllerOptions.DEFAULTS).close();
    }

    private void bringUp() {
        device.busMaster(true);
        bar.store32(Reg.AQA, Aqa.of(ENTRIES, ENTRIES).raw());
        store64(Reg.ASQ, page(0));
        store64(Reg.ACQ, page(1));
        bar.store32(
                Reg.CC,
                new Cc(0).withEn(true).withIosqes(Cc.IOSQES_NVM).withIocqes(Cc.IOCQES_NVM).raw());
        turns(4);
        int size = AdminCommand.createQueueCdw10(1, ENTRIES);
        post(
                0,
                AdminOpcode.CREATE_IO_CQ,
                page(3),
                size,
                AdminCommand.createCqCdw11(true, false, 0));
        turns(4);
        post(0, AdminOpcode.CREATE_IO_SQ, page(2), size, AdminCommand.createSqCdw11(true, 0, 1));
        turns(4);
    }

    private void store64(int register, long value) {
        bar.store32(register, (int) value);
        bar.store32(register + 4, (int) (value >>> 32));
    }

    private void turns(int count) {
        for (int i = 0; i < count; i++) {
            fabric.clock().turn();
        }
    }

    private long page(int number) {
        return memory.busAddress() + (long) number * PAGE;
    }

    /** Returns the address of a page or of a CMB, or an arbitrary one. */
    private long address() {
        int choice = input.int8();
        long offset = (choice & 1) != 0 ? input.int16() & 0xfff : 0;
        return switch (choice >>> 5) {
            case 0, 1, 2, 3 -> page(choice >>> 1 & 7) + offset;
            case 4 -> device.bar(2).pciAddress() + ((long) (choice >>> 1 & 15) << 12) + offset;
            case 5 -> bar.pciAddress() + offset;
            default -> input.int64();
        };
    }

    private void post(int queue, int opcode, long prp1, int cdw10, int cdw11) {
        MemorySegment sqe = entry(queue);
        sqe.fill((byte) 0);
        Sqe.putCdw0(sqe, 0, Sqe.cdw0(opcode, tails[queue]));
        Sqe.putPrp1(sqe, 0, prp1);
        sqe.set(ValueLayout.JAVA_INT_UNALIGNED, Sqe.CDW10, cdw10);
        sqe.set(ValueLayout.JAVA_INT_UNALIGNED, Sqe.CDW10 + 4L, cdw11);
        ring(queue);
    }

    private MemorySegment entry(int queue) {
        long at = (long) queue * 2 * PAGE + (long) tails[queue] * Sqe.BYTES;
        return memory.segment().asSlice(at, Sqe.BYTES);
    }

    private void ring(int queue) {
        tails[queue] = (tails[queue] + 1) % ENTRIES;
        bar.store32(Reg.sqTailDoorbell(queue, 0), tails[queue]);
    }

    private void step(int action) {
        switch (action) {
            case 0 -> bar.store32(4L * input.below(0x20), input.int32());
            case 1 -> bar.store32(Reg.DOORBELLS + 4L * input.below(12), input.int32());
            case 2 ->
                    bar.store32(4L * (input.int16() % (int) (bar.sizeBytes() / 4)), input.int32());
            case 3 -> bar.load64(8L * (input.int16() % (int) (bar.sizeBytes() / 8)));
            case 4 -> bringUp();
            case 5 -> command(0, OPCODES[input.below(OPCODES.length)]);
            case 6 -> command(1, IO_OPCODES[input.below(IO_OPCODES.length)]);
            case 7 -> command(input.below(2), input.int8());
            case 8 -> list();
            case 9 -> device.config().store16(4, input.int8());
            case 10 -> headsGiven();
            default -> turns(1 + input.below(8));
        }
    }

    private void command(int queue, int opcode) {
        MemorySegment sqe = entry(queue);
        Sqe.putCdw0(sqe, 0, Sqe.cdw0(opcode, input.int8()) | (input.flag() ? input.int16() : 0));
        Sqe.putNsid(sqe, 0, input.below(3));
        Sqe.putPrp1(sqe, 0, address());
        Sqe.putPrp2(sqe, 0, address());
        for (int i = 0; i < 6; i++) {
            sqe.set(
                    ValueLayout.JAVA_INT_UNALIGNED,
                    Sqe.CDW10 + 4L * i,
                    input.flag() ? input.int32() : input.int8());
        }
        ring(queue);
        turns(2);
    }

    private void list() {
        long at = (4L + input.below(4)) * PAGE;
        for (int i = 0; i < 8; i++) {
            memory.segment().set(ValueLayout.JAVA_LONG, at + 8L * i, address());
        }
    }

    private void headsGiven() {
        bar.store32(Reg.cqHeadDoorbell(0, 0), input.below(ENTRIES));
        bar.store32(Reg.cqHeadDoorbell(1, 0), input.below(ENTRIES));
    }
}
