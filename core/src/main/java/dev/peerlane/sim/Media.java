package dev.peerlane.sim;

import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.p2p.Receipt;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** What is on the media, past all commands, and what should be there. */
final class Media {
    private static final int BLOCK = 512;

    private final EmulatedFabric fabric;
    private final List<String> locators;
    private final byte[][] expected;
    private final Consumer<String> violation;

    /** Fills the media with random bytes. */
    Media(EmulatedFabric fabric, List<String> locators, long seed, Consumer<String> violation) {
        this.fabric = fabric;
        this.locators = locators;
        this.violation = violation;
        expected = new byte[locators.size()][World.MEDIUM_BYTES];
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < expected.length; i++) {
            random.nextBytes(expected[i]);
            fabric.controller(locators.get(i)).medium(1, expected[i]);
        }
    }

    private byte[] now(int drive) {
        return fabric.controller(locators.get(drive)).medium(1);
    }

    /** The target's range has to be the source's now. */
    void apply(World.Copy copy) {
        System.arraycopy(
                expected[copy.source()],
                copy.sourceOffset(),
                expected[copy.target()],
                copy.targetOffset(),
                copy.bytes());
    }

    /** Whatever is in the target's range is taken as it is; everything else is still checked. */
    void adopt(World.Copy copy) {
        System.arraycopy(
                now(copy.target()),
                copy.targetOffset(),
                expected[copy.target()],
                copy.targetOffset(),
                copy.bytes());
    }

    /** Returns how many bytes of blocks that are said to be copied are not the source's. */
    int wrongBytes(World.Copy copy, List<Receipt.Range> ranges, int blockBytes) {
        byte[] now = now(copy.target());
        int wrong = 0;
        for (Receipt.Range range : ranges) {
            int at = Math.toIntExact(range.slba() * blockBytes);
            int end = at + Math.toIntExact(range.blocks() * blockBytes);
            if (at < copy.targetOffset() || end > copy.targetOffset() + copy.bytes()) {
                violation.accept("the receipt names bytes %d to %d as copied".formatted(at, end));
                continue;
            }
            for (; at < end; at++) {
                wrong += now[at] == source(copy, at) ? 0 : 1;
            }
        }
        return wrong;
    }

    /** Returns how many bytes are in blocks that are neither what they were nor the source's. */
    int strangeBytes(World.Copy copy) {
        byte[] now = now(copy.target());
        byte[] before = expected[copy.target()];
        int strange = 0;
        for (int at = copy.targetOffset(); at < copy.targetOffset() + copy.bytes(); at += BLOCK) {
            int differ = 0;
            for (int i = at; i < at + BLOCK; i++) {
                differ += now[i] == source(copy, i) ? 0 : 1;
            }
            boolean old = Arrays.equals(now, at, at + BLOCK, before, at, at + BLOCK);
            strange += old ? 0 : differ;
        }
        return strange;
    }

    private byte source(World.Copy copy, int targetAt) {
        return expected[copy.source()][targetAt - copy.targetOffset() + copy.sourceOffset()];
    }

    /** Nothing but what was applied or adopted may have changed. */
    void check() {
        for (int i = 0; i < expected.length; i++) {
            byte[] now = now(i);
            int at = Arrays.mismatch(now, expected[i]);
            if (at >= 0) {
                violation.accept(
                        "%s is not what it should be from byte %d on"
                                .formatted(locators.get(i), at));
                expected[i] = now;
            }
        }
    }
}
