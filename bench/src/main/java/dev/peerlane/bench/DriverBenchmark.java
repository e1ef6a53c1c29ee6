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

/** Submit, ring and poll on a device that costs nothing, for a 4 KiB read. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // set up by JMH
public class DriverBenchmark {
    private static final int DEPTH = 32;

    /** Commands that share a doorbell. */
    @Param({"1", "32"})
    public int batch;

    private FreeDevice device;
    private DriverLoop loop;

    /** Brings the device up, on the thread that will own it. */
    @Setup
    public void open() {
        device = new FreeDevice(DEPTH, FreeDevice.Form.PRP);
        loop = new DriverLoop(device, FreeDevice.Form.PRP);
    }

    /** Takes it down. */
    @TearDown
    public void close() {
        if (loop.count().failed() != 0) {
            throw new IllegalStateException("a command failed");
        }
        device.close();
    }

    /** 32 commands, in batches. */
    @Benchmark
    @OperationsPerInvocation(DEPTH)
    public long read() {
        loop.run(batch, DEPTH);
        return loop.count().completed();
    }
}
