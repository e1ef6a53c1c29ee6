package dev.peerlane.system;

import static dev.peerlane.system.EmulatedPair.MIB;
import static dev.peerlane.system.EmulatedPair.drive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.nvme.Admin;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.nvme.QueuePair;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** What other threads call while the owner works: refused, and nothing was done. */
class ForeignThreadsTest {
    private static final int THREADS = 4;
    private static final int CALLS = 20_000;
    private static final int BLOCK = 512;
    private static final long FOREIGN_LBA = 20_000;
    private static final int BLOCKS = 2 * 1024; // of the owner, from block 0 on

    /** Counts completions that are not success. */
    private static final class Statuses extends Completions {
        private int taken;
        private int failed;

        @Override
        public void completed(int slot, int status) {
            taken++;
            failed += Status.isSuccess(status) ? 0 : 1;
        }
    }

    @Test
    void callsOfEveryKindAreRefusedAndDoNothingWhileTheOwnerWorks() throws Exception {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(16 * MIB, BLOCK).cmb(CmbModel.of(MIB)),
                        drive("b").memory(MIB, BLOCK))) {
            p.a.requireCmb().enable(p.fabric.dma());
            try (Things t = new Things(p)) {
                Map<String, Runnable> calls = t.calls();
                ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
                CountDownLatch over = new CountDownLatch(THREADS);
                List<Thread> threads = new ArrayList<>();
                String owner = Thread.currentThread().getName();
                for (int i = 0; i < THREADS; i++) {
                    Runnable job =
                            () -> {
                                String self = OwnerThread.name(Thread.currentThread());
                                try {
                                    call(calls, owner, self, wrong);
                                } finally {
                                    over.countDown();
                                }
                            };
                    threads.add(
                            i < THREADS / 2
                                    ? Thread.ofPlatform().name("foreign-" + i).start(job)
                                    : Thread.ofVirtual().start(job));
                }
                int rounds = 0;
                while (over.getCount() > 0 || rounds < 20) {
                    t.work(rounds++);
                }
                for (Thread thread : threads) {
                    thread.join();
                }
                assertThat(wrong).isEmpty();
                t.work(rounds);
                byte[] medium = p.fabric.controller("a").medium(1);
                for (int at = BLOCKS * BLOCK; at < medium.length; at++) {
                    if (medium[at] != 0) {
                        throw new AssertionError("byte %d of the medium was written".formatted(at));
                    }
                }
                assertThat(p.fabric.faults()).isEmpty();
                assertThat(p.fabric.controller("a").statistics().failedCommands())
                        .as("differing Compares, and nothing else")
                        .isEqualTo(t.differing);
                assertThat(p.a.namespaces()).hasSize(1);
            }
        }
    }

    private static void call(
            Map<String, Runnable> calls,
            String owner,
            String self,
            ConcurrentLinkedQueue<String> wrong) {
        List<Map.Entry<String, Runnable>> all = List.copyOf(calls.entrySet());
        if (self.isEmpty()) {
            wrong.add("a thread has no name");
        }
        String named = "belongs to thread " + owner + ", not to " + self;
        for (int i = 0; i < CALLS && wrong.size() < 20; i++) {
            Map.Entry<String, Runnable> each = all.get(i % all.size());
            try {
                each.getValue().run();
                wrong.add(each.getKey() + " was done");
            } catch (IllegalStateException e) {
                if (!String.valueOf(e.getMessage()).endsWith(named)) {
                    wrong.add(each.getKey() + ": " + e.getMessage());
                }
            } catch (RuntimeException e) {
                wrong.add(each.getKey() + ": " + e);
            }
        }
    }

    /** Everything of drive a that a second thread could lay hands on. */
    private static final class Things implements AutoCloseable {
        private final EmulatedPair p;
        private final Namespace ns;
        private final NvmeBlockPort port;
        private final QueuePair queue;
        private final ControllerMemoryBuffer cmb;
        private final PeerBuffer slots;
        private final DmaBuffer good;
        private final DmaBuffer bad;
        private final DmaBuffer back;
        private final HostMemory host;
        private final HostMemory.HostBuffer piece;
        private final PciDevice device;
        private final Statuses statuses = new Statuses();
        private final Session session;
        private int differing;

        Things(EmulatedPair p) {
            this.p = p;
            ns = p.a.namespace(1);
            port = ns.port(8);
            queue = p.a.createQueuePair(4);
            cmb = p.a.requireCmb();
            slots = cmb.allocate(4 * 16384, 4096);
            port.attach(slots, 0, 16384, 16384, 4);
            good = p.host(64 * 1024);
            bad = p.host(64 * 1024);
            back = p.host(64 * 1024);
            host = new HostMemory(p.fabric.dma());
            piece = host.allocate(4096, 4096);
            device = p.a.device();
            session = Session.of(new KeptFabric(p.fabric));
        }

        /** Has every way to move data do it, and looks at what came of it. */
        void work(int round) {
            EmulatedPair.scramble(good.segment(), round);
            MemorySegment.copy(good.segment(), 0, bad.segment(), 0, bad.sizeBytes());
            long place = 8L * (round % 4096);
            byte there = bad.segment().get(ValueLayout.JAVA_BYTE, place);
            bad.segment().set(ValueLayout.JAVA_BYTE, place, (byte) ~there);
            ns.write(good, 0, 0, 128);
            assertThatThrownBy(() -> ns.compare(bad, 0, 0, 128))
                    .isInstanceOfSatisfying(
                            NvmeStatusException.class,
                            e ->
                                    assertThat(Status.code(e.status()))
                                            .isEqualTo(Status.COMPARE_FAILURE));
            differing++;
            ns.compare(good, 0, 0, 128);
            ns.read(back, 0, 0, 128);
            assertThat(MemorySegment.mismatch(good.segment(), 0, 65_536, back.segment(), 0, 65_536))
                    .isEqualTo(-1);
            int before = statuses.taken;
            for (int slot = 0; slot < 4; slot++) {
                assertThat(port.submitRead(slot, 32L * slot, 32)).isTrue();
            }
            drain();
            for (int slot = 0; slot < 4; slot++) {
                assertThat(port.submitCompare(slot, 32L * slot, 32)).isTrue();
            }
            drain();
            for (int slot = 0; slot < 4; slot++) {
                assertThat(port.submitWrite(slot, 1024 + 32L * slot, 32)).isTrue();
            }
            drain();
            assertThat(statuses.taken - before).isEqualTo(12);
            assertThat(statuses.failed).isZero();
            ns.compare(good, 0, 1024, 128);
            assertThat(p.a.admin().smart().criticalWarning()).isZero();
            cmb.allocate(4096, 4096).close();
        }

        private void drain() {
            port.ring();
            assertThat(
                            p.fabric
                                    .clock()
                                    .await(
                                            () -> {
                                                port.poll(8, statuses);
                                                return port.inFlight() == 0;
                                            },
                                            1_000_000_000L))
                    .isTrue();
        }

        Map<String, Runnable> calls() {
            Map<String, Runnable> all = new LinkedHashMap<>();
            synchronous(all);
            queued(all);
            administrative(all);
            peerMemory(all);
            fabric(all);
            emulated(all);
            session(all);
            return all;
        }

        private void synchronous(Map<String, Runnable> all) {
            all.put("read", () -> ns.read(good, 0, FOREIGN_LBA, 64));
            all.put("write", () -> ns.write(bad, 0, FOREIGN_LBA, 64));
            all.put("write of the peer's", () -> ns.write(slots, 0, FOREIGN_LBA, 8));
            all.put("compare", () -> ns.compare(bad, 0, 0, 64));
            all.put("write zeroes", () -> ns.writeZeroes(0, 8));
            all.put("verify", () -> ns.verify(0, 8));
            all.put("deallocate", () -> ns.deallocate(0, 8));
            all.put("flush", ns::flush);
            all.put("close of what was read into", good::close);
            all.put("close of what was written", bad::close);
            all.put("close of what the owner reads into", back::close);
        }

        private void queued(Map<String, Runnable> all) {
            long cdw0 = Sqe.cdw0to1(NvmOpcode.WRITE, 1);
            all.put("post", () -> queue.post(cdw0, bad.busAddress(), 0, FOREIGN_LBA, 0, 7));
            all.put("ring", queue::ring);
            all.put("poll", () -> queue.poll(1, statuses));
            all.put("delete queue", () -> p.a.deleteQueuePair(queue));
            all.put("create queue", () -> p.a.createQueuePair(4));
            all.put("port", () -> ns.port(4));
            all.put("submit read", () -> port.submitRead(1, FOREIGN_LBA, 8));
            all.put("submit write", () -> port.submitWrite(2, FOREIGN_LBA, 8));
            all.put("submit compare", () -> port.submitCompare(3, FOREIGN_LBA, 8));
            all.put("submit outside", () -> port.submitRead(0, Long.MAX_VALUE, 8));
            all.put("submit to no slot", () -> port.submitRead(17, 0, 8));
            all.put("submit flush", port::submitFlush);
            all.put("port ring", port::ring);
            all.put("port poll", () -> port.poll(8, statuses));
            all.put("attach", () -> port.attach(slots, 0, 4096, 4096, 1));
            all.put("abort", () -> port.abort(0));
            all.put("quiesce", port::quiesce);
            all.put("condition", port::condition);
            all.put("port health", port::checkHealth);
            all.put("port close", port::close);
        }

        private void administrative(Map<String, Runnable> all) {
            Admin admin = p.a.admin();
            all.put("execute", () -> admin.execute(AdminOpcode.IDENTIFY, 0, bad.busAddress(), 1));
            all.put("identify", () -> admin.identify(Cns.CONTROLLER, 0, CommandSet.NVM));
            all.put("identify into", () -> admin.identifyInto(slots));
            all.put("log", () -> admin.log(LogPage.SMART, -1, 512));
            all.put("smart", admin::smart);
            all.put("errors", () -> admin.errors(4));
            all.put("feature", () -> admin.feature(Feature.NUMBER_OF_QUEUES, 0));
            all.put("change", () -> admin.changeFeature(Feature.ASYNC_EVENT_CONFIG, 0));
            all.put("events", admin::pollEvents);
            all.put("namespace", () -> p.a.namespace(1));
            all.put("namespaces", p.a::namespaces);
            all.put("active", p.a::activeNamespaces);
            all.put("reset", p.a::reset);
            all.put("close", p.a::close);
            all.put("open", () -> Controller.open(p.fabric, "emu:a", ControllerOptions.DEFAULTS));
        }

        private void peerMemory(Map<String, Runnable> all) {
            all.put("enable", () -> cmb.enable(p.fabric.dma()));
            all.put("disable", cmb::disable);
            all.put("describe", cmb::describe);
            all.put("allocate", () -> cmb.allocate(4096, 4096));
            all.put("map whole", cmb::mapWhole);
            all.put("unmap whole", cmb::unmapWhole);
            all.put("cmb health", cmb::checkHealth);
            all.put("load of a slot", () -> slots.load64(0));
            all.put("store to a slot", () -> slots.store64(0, -1));
            all.put("fill of a slot", () -> slots.fill(0, 4096, -1));
            all.put("no wipe", () -> slots.wipeOnClose(false));
            all.put("slots' close", slots::close);
            all.put("host allocate", () -> host.allocate(4096, 4096));
            all.put("host load", () -> piece.load64(0));
            all.put("host store", () -> piece.store64(0, 1));
            all.put("host close", piece::close);
        }

        private void fabric(Map<String, Runnable> all) {
            EmulatedFabric fabric = p.fabric;
            Bar bar = device.bar(0);
            Doorbell doorbell = bar.doorbell(Reg.sqTailDoorbell(1, 0));
            ConfigSpace config = device.config();
            all.put("turn", fabric.clock()::turn);
            all.put("dma allocate", () -> fabric.dma().allocate(4096).close());
            all.put("map peer", () -> fabric.dma().mapPeer(device, bar, 0, 4096));
            all.put("fabric open", () -> fabric.open("emu:a"));
            all.put("fabric close", fabric::close);
            all.put("machine", fabric::machine);
            all.put("bar load", () -> bar.load32(Reg.CSTS));
            all.put("bar store", () -> bar.store32(Reg.CC, 0));
            all.put("bar load of 8", () -> bar.load64(Reg.CAP));
            all.put("bar store of 8", () -> bar.store64(Reg.CMBMSC, 0));
            all.put("doorbell", () -> doorbell.ring(3));
            all.put("config store", () -> config.store16(ConfigSpace.COMMAND, 0));
            all.put("bus master", () -> device.busMaster(false));
            all.put("device reset", device::reset);
            all.put("device close", device::close);
        }

        private void emulated(Map<String, Runnable> all) {
            EmulatedFabric fabric = p.fabric;
            EmulatedController controller = fabric.controller("a");
            all.put("arm", () -> fabric.arm(Fault.at(Fault.Kind.GONE, "a")));
            all.put("repair", fabric::repair);
            all.put("watch", () -> fabric.watch(null));
            all.put("attach memory", () -> fabric.attachMemory(0x1000, piece.segment()));
            all.put("detach memory", () -> fabric.detachMemory(bad.busAddress()));
            all.put("hand over", fabric::handOver);
            all.put("faults", fabric::faults);
            all.put("happened", fabric::happened);
            all.put("medium", () -> controller.medium(1));
            all.put("medium's store", () -> controller.medium(1, new byte[] {1}));
            all.put("cmb bytes", controller::cmbBytes);
            all.put("violations", controller::violations);
            all.put("mask", () -> controller.maskInterrupt(0, true));
            all.put("receiver", () -> controller.interruptReceiver(v -> {}));
            all.put("doorbells", () -> controller.watchDoorbells(piece.segment()));
        }

        private void session(Map<String, Runnable> all) {
            Extent from = Extent.of("emu:a");
            Extent to = Extent.of("emu:b");
            all.put("session's controller", () -> session.controller("emu:a"));
            all.put("session's namespace", () -> session.namespace(from));
            all.put("plan", () -> session.plan(from, to, CopyOptions.DEFAULTS));
            all.put("copy", () -> session.copy(from, to, CopyOptions.DEFAULTS));
            all.put("session's close", session::close);
        }

        @Override
        public void close() {
            session.close();
            port.close();
            p.a.deleteQueuePair(queue);
            slots.close();
            piece.close();
            good.close();
            bad.close();
            back.close();
        }
    }
}
