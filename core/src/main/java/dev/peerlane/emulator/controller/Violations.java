package dev.peerlane.emulator.controller;

import java.util.ArrayList;
import java.util.List;

/** Keeps in words what the host did that the specification forbids, the first of it. */
final class Violations {
    private static final int MAX = 64;

    private final List<String> first = new ArrayList<>();

    /** Notes one more. */
    void add(String what) {
        if (first.size() < MAX) {
            first.add(what);
        }
    }

    /** Returns those that were kept. */
    List<String> first() {
        return List.copyOf(first);
    }
}
