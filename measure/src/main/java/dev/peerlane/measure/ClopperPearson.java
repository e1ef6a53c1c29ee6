package dev.peerlane.measure;

/**
 * The one-sided upper bound of Clopper and Pearson, with 95 % confidence, of the probability of an
 * event that was seen k times in n tries. For k = 0 it is the rule of three, 3 / n.
 */
final class ClopperPearson {
    private static final double RISK = 0.05;
    private static final int STEPS = 200;
    private static final double NOTHING = 1e-18;

    private ClopperPearson() {}

    /**
     * Returns the bound: the probability with which at most this many events are seen in only 5 %
     * of all experiments.
     *
     * @param seen number of events
     * @param tries number of tries; above 0
     */
    static double upperBound(long seen, long tries) {
        if (tries <= 0 || seen < 0 || seen > tries) {
            throw new IllegalArgumentException("%d of %d".formatted(seen, tries));
        }
        if (seen == tries) {
            return 1;
        }
        if (seen == 0) {
            return -Math.expm1(Math.log(RISK) / tries);
        }
        double low = (double) seen / tries;
        double high = 1;
        for (int i = 0; i < STEPS && low < high; i++) {
            double middle = (low + high) / 2;
            if (atMost(seen, tries, middle) > RISK) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return high;
    }

    /**
     * Returns the probability of at most {@code k} events in {@code n}; {@code p} is above k / n.
     */
    private static double atMost(long k, long n, double p) {
        if (p >= 1) {
            return 0;
        }
        double choose = logFactorial(n) - logFactorial(k) - logFactorial(n - k);
        double term = Math.exp(choose + k * Math.log(p) + (n - k) * Math.log1p(-p));
        double sum = 0;
        // the terms below k only get smaller
        for (long i = k; i >= 0 && term > NOTHING * sum; i--) {
            sum += term;
            term *= i / (double) (n - i + 1) * (1 - p) / p;
        }
        return sum;
    }

    /** Uses Stirling's series, which is exact to more digits than the bound is printed with. */
    private static double logFactorial(long n) {
        if (n < 16) {
            double product = 1;
            for (int i = 2; i <= n; i++) {
                product *= i;
            }
            return Math.log(product);
        }
        double x = n + 1.0;
        double inverse = 1 / x;
        double series = inverse / 12 - Math.pow(inverse, 3) / 360 + Math.pow(inverse, 5) / 1260;
        return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
    }
}
