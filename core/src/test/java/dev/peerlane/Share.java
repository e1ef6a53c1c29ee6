package dev.peerlane;

import java.util.ArrayList;
import java.util.List;

/**
 * How much of a long test runs. All of it, unless the property {@code peerlane.share} is N: then
 * one in N of its seeds or cases, as in {@code ./dev test}.
 */
public final class Share {
    private static final int ONE_IN = Integer.getInteger("peerlane.share", 1);

    private Share() {}

    /** Returns how many of a number of seeds run, at least one. */
    public static int of(int seeds) {
        return Math.ceilDiv(seeds, ONE_IN);
    }

    /** Returns the step with which a sweep goes from one occasion to the next. */
    public static int step() {
        return ONE_IN;
    }

    /**
     * Returns the cases that run. They are taken diagonally, so that the values of inner loops
     * alternate if nested loops made the cases.
     */
    public static <T> List<T> of(List<T> cases) {
        List<T> chosen = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            if (i % ONE_IN == i / ONE_IN % ONE_IN) {
                chosen.add(cases.get(i));
            }
        }
        return chosen;
    }
}
