package dev.peerlane.system;

import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/**
 * Lets several jobs run at once on one fabric in virtual time: a light thread each, of which one
 * runs at a time, in turn, and time goes on when all of them wait. The same jobs give the same run.
 */
final class Together {
    private final EmulatedFabric emulated;
    private final Clock time;
    private final boolean[] over;
    private final Semaphore[] turns;
    private final ThreadLocal<Integer> self = new ThreadLocal<>();
    private int running;

    private Together(EmulatedFabric emulated, int jobs) {
        this.emulated = emulated;
        this.time = emulated.clock();
        over = new boolean[jobs];
        turns = new Semaphore[jobs];
        Arrays.setAll(turns, number -> new Semaphore(number == 0 ? 1 : 0));
    }

    /** What a job does on a fabric that waits for the others' turns. */
    interface Job<T> {
        T run(Fabric fabric) throws Exception;
    }

    /** Runs jobs to their ends, and returns what they returned. */
    static <T> List<T> run(EmulatedFabric fabric, List<Job<T>> jobs)
            throws InterruptedException, ExecutionException {
        Together together = new Together(fabric, jobs.size());
        Fabric shared = together.over(fabric);
        List<Callable<T>> tasks = new ArrayList<>();
        for (int i = 0; i < jobs.size(); i++) {
            int number = i;
            tasks.add(() -> together.turnOf(number, jobs.get(number), shared));
        }
        List<T> results = new ArrayList<>();
        fabric.handOver();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<T> each : threads.invokeAll(tasks)) {
                results.add(each.get());
            }
        }
        return results;
    }

    private <T> T turnOf(int number, Job<T> job, Fabric fabric) throws Exception {
        self.set(number);
        await(number);
        try {
            return job.run(fabric);
        } finally {
            over[number] = true;
            next();
        }
    }

    private void await(int number) {
        turns[number].acquireUninterruptibly();
    }

    /** Hands over to the next one that is not over; time goes on after the last. */
    private void next() {
        for (int i = 1; i <= over.length; i++) {
            int at = (running + i) % over.length;
            if (at == 0) {
                time.turn();
            }
            if (!over[at]) {
                running = at;
                emulated.handOver();
                turns[at].release();
                return;
            }
        }
        emulated.handOver();
    }

    private Fabric over(Fabric fabric) {
        Clock clock =
                new Clock() {
                    @Override
                    public long nanoTime() {
                        return time.nanoTime();
                    }

                    @Override
                    public void turn() {
                        next();
                        Together.this.await(self.get());
                    }
                };
        return new KeptFabric(fabric) {
            @Override
            public Clock clock() {
                return clock;
            }
        };
    }
}
