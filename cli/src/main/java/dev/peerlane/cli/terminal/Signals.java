package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;

/**
 * Handles Ctrl-C and other signals. The first asks the running command to stop, and the process
 * waits for it: commands in flight end, memory is wiped, and the receipt is printed. The second
 * ends the process at once.
 *
 * <p>A virtual machine without module {@code jdk.unsupported} does not pass on signals. A shutdown
 * hook then handles the first signal, and further ones are ignored.
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
     * Creates the handler.
     *
     * @param interruption receives the request at the first signal
     * @param err where both signals are reported
     * @param halt ends the process with a status, at once
     */
    public Signals(Interruption interruption, PrintWriter err, IntConsumer halt) {
        this.interruption = interruption;
        this.err = err;
        this.halt = halt;
    }

    /** Installs signal handlers, or a shutdown hook if the virtual machine has no signals. */
    public void install() {
        int lost = 0;
        for (String name : NAMES) {
            try {
                handle(name);
            } catch (InvocationTargetException e) {
                lost++; // the system keeps this signal
            } catch (ReflectiveOperationException e) {
                Runtime.getRuntime().addShutdownHook(new Thread(this::shutDown, "shutdown"));
                return;
            }
        }
        if (lost == NAMES.size()) { // if no signal arrives, shutdown hooks don't run either
            err.println(
                    "Warning: SIGINT, SIGTERM and SIGHUP are left to the system (-Xrs). Each"
                            + " ends the program at once, without a receipt, without wiping"
                            + " memory and without shutting down devices. Start Java without"
                            + " -Xrs.");
            err.flush();
        }
    }

    /**
     * Runs while the virtual machine shuts down. After a signal, waits for the command to end.
     * After the program's own exit the command has ended, and waiting would deadlock: the thread
     * that called exit waits for this hook.
     */
    void shutDown() {
        if (ended.getCount() == 0) {
            return;
        }
        interruption.request();
        say(
                ("Stopping: %s. Further signals are ignored (this Java lacks module"
                                        + " jdk.unsupported);")
                                .formatted(interruption.stopping())
                        + " kill -9 ends it at once");
        boolean over = false;
        while (!over) {
            try {
                ended.await();
                over = true;
            } catch (InterruptedException e) {
                // nothing interrupts this thread on purpose, and the receipt matters more
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

    /**
     * Installs a handler by reflection, because javac's warning about this class can't be
     * suppressed.
     */
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
            say("Stopping: %s. Ctrl-C again ends it at once".formatted(interruption.stopping()));
            return;
        }
        say("Ended at once: " + interruption.left());
        halt.accept(STATUS_OF_SIGNALS + number);
    }

    /**
     * Returns the exit status of the process. A signal's status takes precedence over the
     * command's.
     */
    public synchronized int status(int ofCommand) {
        return first == 0 ? ofCommand : STATUS_OF_SIGNALS + first;
    }
}
