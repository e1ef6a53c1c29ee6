package dev.peerlane.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Compares a call through an abstract class, as the seams of {@code hal} and {@code block} are,
 * with the same call through an interface. The number of classes that one call site meets decides:
 * up to two the compiler inlines both; from three on one is a load from a table and the other a
 * search.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // set up by JMH
public class SeamBenchmark {
    private static final int CALLS = 48;

    /** A seam as an abstract class. */
    abstract static class Seam {
        abstract void ring(int value);
    }

    /** The same seam as an interface. */
    interface Door {
        void ring(int value);
    }

    static final class FirstSeam extends Seam {
        int last;

        @Override
        void ring(int value) {
            last = value;
        }
    }

    static final class SecondSeam extends Seam {
        int last;

        @Override
        void ring(int value) {
            last = value + 1;
        }
    }

    static final class ThirdSeam extends Seam {
        int last;

        @Override
        void ring(int value) {
            last = value + 2;
        }
    }

    static final class FirstDoor implements Door {
        int last;

        @Override
        public void ring(int value) {
            last = value;
        }
    }

    static final class SecondDoor implements Door {
        int last;

        @Override
        public void ring(int value) {
            last = value + 1;
        }
    }

    static final class ThirdDoor implements Door {
        int last;

        @Override
        public void ring(int value) {
            last = value + 2;
        }
    }

    /** Classes that the call site meets. */
    @Param({"1", "2", "3"})
    public int classes;

    private Seam[] seams;
    private Door[] doors;

    /** Lays out the receivers, one class after the other. */
    @Setup
    public void fill() {
        seams = new Seam[CALLS];
        doors = new Door[CALLS];
        for (int i = 0; i < CALLS; i++) {
            int which = i % classes;
            seams[i] =
                    which == 0 ? new FirstSeam() : which == 1 ? new SecondSeam() : new ThirdSeam();
            doors[i] =
                    which == 0 ? new FirstDoor() : which == 1 ? new SecondDoor() : new ThirdDoor();
        }
    }

    /** Calls through the abstract class. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void abstractClass() {
        for (int i = 0; i < CALLS; i++) {
            seams[i].ring(i);
        }
    }

    /** Calls through the interface. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void interfaceType() {
        for (int i = 0; i < CALLS; i++) {
            doors[i].ring(i);
        }
    }
}
