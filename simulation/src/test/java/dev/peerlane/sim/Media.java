package dev.peerlane.sim;

import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Compares the media, read past all commands, with their expected content. */
final class Media {
    private static final int BLOCK = 512;
    private static final VarHandle WORD =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final EmulatedFabric fabric;
    private final List<String> locators;
    private final Map<World.Place, byte[]> expected = new LinkedHashMap<>();
    private final Consumer<String> violation;

    /** Fills the media with random bytes. */
    Media(EmulatedFabric fabric, List<String> locators, long seed, Consumer<String> violation) {
        this.fabric = fabric;
        this.locators = locators;
        this.violation = violation;
        SplittableRandom random = new SplittableRandom(seed);
        for (int drive = 0; drive < locators.size(); drive++) {
            for (int nsid = 1; nsid <= namespaces(drive); nsid++) {
                World.Place place = new World.Place(drive, nsid, 0);
                byte[] bytes = now(place);
                fill(bytes, random);
                fabric.controller(locators.get(drive)).medium(nsid, bytes);
                expected.put(place, bytes);
            }
        }
    }

    /** Fills whole words with random numbers. */
    private static void fill(byte[] bytes, SplittableRandom random) {
        for (int at = 0; at < bytes.length; at += Long.BYTES) {
            WORD.set(bytes, at, random.nextLong());
        }
    }

    private int namespaces(int drive) {
        return fabric.model().drives().get(drive).namespaces().size();
    }

    private byte[] now(World.Place place) {
        return fabric.controller(locators.get(place.drive())).medium(place.nsid());
    }

    private byte[] expected(World.Place place) {
        World.Place start = new World.Place(place.drive(), place.nsid(), 0);
        return Objects.requireNonNull(expected.get(start));
    }

    /** Expects the source's data in the target's range. */
    void apply(World.Copy copy) {
        System.arraycopy(
                expected(copy.source()),
                copy.source().offset(),
                expected(copy.target()),
                copy.target().offset(),
                copy.bytes());
    }

    /** Accepts any content of the target's range; everything else is still checked. */
    void adopt(World.Copy copy) {
        adopt(copy.target(), copy.bytes());
    }

    /** Accepts any content of a range. */
    void adopt(World.Place place, int bytes) {
        System.arraycopy(now(place), place.offset(), expected(place), place.offset(), bytes);
    }

    /** Returns whether both ranges begin with the same bytes, up to a length. */
    boolean same(World.Copy copy, int bytes) {
        int from = copy.source().offset();
        int to = copy.target().offset();
        return Arrays.equals(
                now(copy.source()), from, from + bytes, now(copy.target()), to, to + bytes);
    }

    /** Returns how many bytes of the blocks that are reported as copied differ from the source. */
    int wrongBytes(World.Copy copy, List<Receipt.Range> ranges, int blockBytes) {
        byte[] now = now(copy.target());
        byte[] source = expected(copy.source());
        int shift = copy.source().offset() - copy.target().offset();
        int wrong = 0;
        for (Receipt.Range range : ranges) {
            int at = Math.toIntExact(range.slba() * blockBytes);
            int end = at + Math.toIntExact(range.blocks() * blockBytes);
            if (at < copy.target().offset() || end > copy.target().offset() + copy.bytes()) {
                violation.accept("the receipt names bytes %d to %d as copied".formatted(at, end));
                continue;
            }
            for (; at < end; at++) {
                wrong += now[at] == source[at + shift] ? 0 : 1;
            }
        }
        return wrong;
    }

    /**
     * Returns how many bytes lie in blocks that equal neither their former content nor the source.
     */
    int strangeBytes(World.Copy copy) {
        byte[] now = now(copy.target());
        byte[] before = expected(copy.target());
        byte[] source = expected(copy.source());
        int shift = copy.source().offset() - copy.target().offset();
        int strange = 0;
        for (int at = copy.target().offset();
                at < copy.target().offset() + copy.bytes();
                at += BLOCK) {
            int differ = 0;
            for (int i = at; i < at + BLOCK; i++) {
                differ += now[i] == source[i + shift] ? 0 : 1;
            }
            boolean old = Arrays.equals(now, at, at + BLOCK, before, at, at + BLOCK);
            strange += old ? 0 : differ;
        }
        return strange;
    }

    /** Checks that nothing has changed but what was applied or adopted. */
    void check() {
        expected.forEach((place, bytes) -> {
            byte[] now = now(place);
            int at = Arrays.mismatch(now, bytes);
            if (at >= 0) {
                violation.accept(
                        "%s/n%d is not what it should be from byte %d on"
                                .formatted(locators.get(place.drive()), place.nsid(), at));
                System.arraycopy(now, 0, bytes, 0, now.length);
            }
        });
    }
}
