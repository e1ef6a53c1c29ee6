package dev.peerlane.lab.guest;

import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs the guest tests whose names are its arguments, in their order, each whatever became of those
 * before, and writes what became of each to the second serial port.
 */
public final class GuestTests {
    private static final String RESULTS = "/dev/ttyS1";

    /** One test; it fails by throwing. */
    @FunctionalInterface
    interface Body {
        /** Runs it and returns what there is to say of its success. */
        String run() throws Exception;
    }

    private GuestTests() {}

    private static Map<String, Body> tests() {
        Map<String, Body> tests = new LinkedHashMap<>();
        tests.put("hello", () -> "Java " + Runtime.version());
        tests.put("stores-interpreted", () -> DoorbellStores.run(0x1400));
        tests.put("stores-first-tier", () -> DoorbellStores.run(0x1420));
        tests.put("stores-second-compiler", () -> DoorbellStores.run(0x1440));
        return tests;
    }

    /** Runs tests. */
    public static void main(String[] names) throws IOException {
        Map<String, Body> tests = tests();
        for (String name : names) {
            say(name, "BEGIN", "");
            try {
                Body body = tests.get(name);
                if (body == null) {
                    throw new IllegalArgumentException("there is no such test");
                }
                long start = System.nanoTime();
                String detail = body.run();
                say(name, "PASS", detail + " (" + (System.nanoTime() - start) / 1_000_000 + " ms)");
            } catch (Throwable e) {
                e.printStackTrace();
                say(name, "FAIL", String.valueOf(e));
            }
        }
    }

    private static void say(String name, String verdict, String detail) throws IOException {
        String line = "PEERLANE-TEST %s %s %s%n".formatted(name, verdict, oneLine(detail));
        try (Writer results = new FileWriter(RESULTS, StandardCharsets.UTF_8)) {
            results.write(line);
        }
        System.out.print(line);
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
