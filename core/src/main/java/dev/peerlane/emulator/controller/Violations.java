package dev.peerlane.emulator.controller;

import java.util.ArrayList;
import java.util.List;

/** Records what the host did against the specification, up to a limit. */
final class Violations {
    private static final int MAX = 64;

    private final List<String> first = new ArrayList<>();

    /** Records a violation. */
    void add(String what) {
        if (first.size() < MAX) {
            first.add(what);
        }
    }

    /** Returns the recorded violations. */
    List<String> first() {
        return List.copyOf(first);
    }
}
