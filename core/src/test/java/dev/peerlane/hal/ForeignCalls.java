package dev.peerlane.hal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.parts.OwnerThread;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Checks that calls by threads other than the owner are refused and have no effect. */
public final class ForeignCalls {
    private final Map<String, Runnable> calls = new LinkedHashMap<>();

    /** Adds a call. */
    public ForeignCalls add(String name, Runnable call) {
        assertThat(calls.put(name, call)).as("two calls are named " + name).isNull();
        return this;
    }

    /**
     * Makes each call on a named thread and on a virtual thread, which has no name.
     *
     * @param state reads the state that a call could change; called by the owner, which is the
     *     calling thread
     */
    public void assertRefused(Supplier<?> state) throws InterruptedException {
        Object before = state.get();
        String owner = Thread.currentThread().getName();
        for (Map.Entry<String, Runnable> each : calls.entrySet()) {
            for (Thread.Builder kind :
                    new Thread.Builder[] {
                        Thread.ofPlatform().name("foreign"), Thread.ofVirtual()
                    }) {
                String[] said = {"was done"};
                Thread thread = kind.unstarted(() -> said[0] = outcome(each.getValue()));
                thread.start();
                thread.join();
                assertThat(said[0])
                        .as(each.getKey())
                        .endsWith(
                                " belongs to thread %s, not to %s"
                                        .formatted(owner, OwnerThread.name(thread)));
                assertThat(state.get()).as("after " + each.getKey()).isEqualTo(before);
            }
        }
    }

    private static String outcome(Runnable call) {
        try {
            call.run();
            return "was done";
        } catch (IllegalStateException e) {
            return String.valueOf(e.getMessage());
        } catch (RuntimeException | Error e) {
            return e.toString();
        }
    }
}
