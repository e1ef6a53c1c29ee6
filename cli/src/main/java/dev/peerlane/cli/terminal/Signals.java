package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;

/**
 * Ctrl-C and its like. The first asks the running command to stop, and the process then waits for
 * it: what is under way on a device has to end, the memory is wiped, and the receipt is printed.
 * The second ends the process at once.
 *
 * <p>A virtual machine without module {@code jdk.unsupported} does not hand signals over. There a
 * shutdown hook does what the first one does, and nobody hears of a second one.
 */
public final class Signals {
    private static final List<String> NAMES = List.of("INT", "TERM", "HUP");
    private static final int STATUS_OF_SIGNALS = 128;

    private final Interruption interruption;
    private final PrintWriter err;
    private final IntConsumer halt;
    private final CountDownLatch ended = new CountDownLatch(1);
    private int first;

    /**
     * Creates it.
     *
     * @param interruption is asked at the first signal
     * @param err where both are told
     * @param halt ends the process with a status, at once
     */
    public Signals(Interruption interruption, PrintWriter err, IntConsumer halt) {
        this.interruption = interruption;
        this.err = err;
        this.halt = halt;
    }

    /** Takes the signals from the virtual machine, or what it has instead. */
    public void install() {
        int lost = 0;
        for (String name : NAMES) {
            try {
                handle(name);
            } catch (InvocationTargetException e) {
                lost++; // it is the system's
            } catch (ReflectiveOperationException e) {
                Runtime.getRuntime().addShutdownHook(new Thread(this::shutDown, "shutdown"));
                return;
            }
        }
        if (lost == NAMES.size()) { // where nothing hears of signals, shutdown hooks do not either
            err.println(
                    "Warning: SIGINT, SIGTERM and SIGHUP are left to the system (-Xrs). Each ends"
                            + " the program at once: with no receipt, memory that is not wiped,"
                            + " and devices that were not shut down. Start Java without -Xrs.");
            err.flush();
        }
    }

    /**
     * Runs while the virtual machine ends. By a signal: then the command has to end before. Or by
     * the program's own exit, after its command: then nothing is waited for, since whoever called
     * that waits for this.
     */
    void shutDown() {
        if (ended.getCount() == 0) {
            return;
        }
        interruption.request();
        say(
                "Stopping: %s. Another signal is not heard (this Java has no module jdk.unsupported);"
                                .formatted(interruption.stopping())
                        + " kill -9 ends at once");
        boolean over = false;
        while (!over) {
            try {
                ended.await();
                over = true;
            } catch (InterruptedException e) {
                // nobody has a reason to, and the receipt is worth more
            }
        }
    }

    /** Records that the command has ended and has printed everything. */
    public void ended() {
        ended.countDown();
    }

    private void say(String what) {
        err.println("peerlane: " + what + ".");
        err.flush();
    }

    /** Accesses the class by reflection, because javac's warning about it can't be suppressed. */
    private void handle(String name) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object made = signal.getConstructor(String.class).newInstance(name);
        int number = (int) signal.getMethod("getNumber").invoke(made);
        InvocationHandler arrives =
                (self, method, args) -> {
                    switch (method.getName()) {
                        case "handle" -> arrived(number);
                        case "equals" -> {
                            return args != null && self == args[0];
                        }
                        case "hashCode" -> {
                            return System.identityHashCode(self);
                        }
                        default -> {
                            return "handler of SIG" + name;
                        }
                    }
                    return null;
                };
        Object proxy =
                Proxy.newProxyInstance(
                        Signals.class.getClassLoader(), new Class<?>[] {handler}, arrives);
        signal.getMethod("handle", signal, handler).invoke(null, made, proxy);
    }

    /** Takes a signal, on any thread. */
    void arrived(int number) {
        boolean again;
        synchronized (this) {
            again = first != 0;
            first = again ? first : number;
        }
        if (!again) {
            interruption.request();
            say("Stopping: %s. Ctrl-C again ends at once".formatted(interruption.stopping()));
            return;
        }
        say("Ended at once: " + interruption.left());
        halt.accept(STATUS_OF_SIGNALS + number);
    }

    /** Returns the status of a process whose command ended with this one: a signal's goes first. */
    public synchronized int status(int ofCommand) {
        return first == 0 ? ofCommand : STATUS_OF_SIGNALS + first;
    }
}
