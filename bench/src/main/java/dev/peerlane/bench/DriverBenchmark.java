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
import org.openjdk.jmh.annotations.TearDown;

/** Measures submit, ring and poll of a 4 KiB Read on a device whose I/O costs nothing. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // set up by JMH
public class DriverBenchmark {
    private static final int DEPTH = 32;

    /** The number of commands per doorbell write. */
    @Param({"1", "32"})
    public int batch;

    private FreeDevice device;
    private DriverLoop loop;

    /** Brings up the device on the thread that will own it. */
    @Setup
    public void open() {
        device = new FreeDevice(DEPTH, FreeDevice.Form.PRP);
        loop = new DriverLoop(device, FreeDevice.Form.PRP);
    }

    /** Shuts down the device. */
    @TearDown
    public void close() {
        if (loop.count().failed() != 0) {
            throw new IllegalStateException("a command failed");
        }
        device.close();
    }

    /** Runs 32 commands in batches. */
    @Benchmark
    @OperationsPerInvocation(DEPTH)
    public long read() {
        loop.run(batch, DEPTH);
        return loop.count().completed();
    }
}
