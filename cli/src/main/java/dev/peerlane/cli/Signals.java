package dev.peerlane.cli;

import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Ctrl-C and its like. The first asks the running command to stop, and the process then waits for
 * it: what is under way on a device has to end, the memory is wiped, and the receipt is printed.
 * The second ends the process at once.
 *
 * <p>The virtual machine's own way, shutdown hooks, can't tell a second signal and ends with no
 * receipt when they return.
 */
final class Signals {
    private static final List<String> NAMES = List.of("INT", "TERM", "HUP");
    private static final int STATUS_OF_SIGNALS = 128;

    private final Interruption interruption;
    private final PrintWriter err;
    private final IntConsumer halt;
    private int first;

    /**
     * Creates it.
     *
     * @param interruption is asked at the first signal
     * @param err where both are told
     * @param halt ends the process with a status, at once
     */
    Signals(Interruption interruption, PrintWriter err, IntConsumer halt) {
        this.interruption = interruption;
        this.err = err;
        this.halt = halt;
    }

    /** Takes the signals from the virtual machine. One that it does not give stays as it is. */
    void install() {
        for (String name : NAMES) {
            try {
                handle(name);
            } catch (ReflectiveOperationException | IllegalArgumentException e) {
                // such as with -Xrs: then a signal ends the process as it ends any other
            }
        }
    }

    /** By reflection, for javac warns of this class and can't be told not to. */
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
            err.println(
                    "peerlane: Stopping: what is under way is waited for. Ctrl-C again ends at"
                            + " once.");
            err.flush();
            return;
        }
        err.println("peerlane: Ended at once: " + interruption.left() + ".");
        err.flush();
        halt.accept(STATUS_OF_SIGNALS + number);
    }

    /** Returns the status of a process whose command ended with this one: a signal's goes first. */
    synchronized int status(int ofCommand) {
        return first == 0 ? ofCommand : STATUS_OF_SIGNALS + first;
    }
}
