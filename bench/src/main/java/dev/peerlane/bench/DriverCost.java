package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What submit and poll cost in Java and in C, on a device that costs nothing. Samples of the three
 * programs follow each other on one core, so whatever else the machine does befalls all of them; a
 * ratio is the median of the ratios of neighbours.
 */
final class DriverCost {
    private static final int DEPTH = 32;
    private static final long STEPS = 200_000;
    private static final int WARM_UPS = 6;

    /** How many commands share a doorbell, and thus are in flight. */
    static final List<Integer> BATCHES = List.of(1, 8, 32);

    private static final String JAVA = "Java";
    private static final String C = "C";
    private static final String CHECKED = "C, checks";

    /**
     * One program at one batch.
     *
     * @param nanos for a command
     * @param ratio nanoseconds of the first program over this one's
     * @param instructions for a command, where they could be counted
     */
    record Line(
            int batch, String program, Spread nanos, Spread ratio, OptionalDouble instructions) {}

    private final CPrograms programs;
    private final int core;
    private final int pairs;
    private final long commands;

    /**
     * Prepares it.
     *
     * @param pairs how many samples of each program
     * @param commands how many commands a sample has
     */
    DriverCost(CPrograms programs, int core, int pairs, long commands) {
        this.programs = programs;
        this.core = core;
        this.pairs = pairs;
        this.commands = commands;
    }

    /** A program under measurement, and its samples at the batch of the moment. */
    private static final class Runner {
        private final String name;
        private final List<String> command;
        private final double[] nanos;
        private Coprocess program;

        Runner(String name, List<String> command, int samples) throws IOException {
            this.name = name;
            this.command = command;
            program = new Coprocess(command);
            this.nanos = new double[samples];
        }
    }

    List<Line> measure() throws IOException {
        List<Line> lines = new ArrayList<>();
        List<Runner> runners = new ArrayList<>();
        try {
            start(runners, JAVA, Machine.java(DriverLoop.class, Integer.toString(DEPTH)));
            start(runners, C, program(programs.driver()));
            start(runners, CHECKED, program(programs.checked()));
            warmUp(runners.subList(0, 1));
            for (int batch : BATCHES) {
                measure(lines, runners, batch, true);
            }
        } finally {
            runners.forEach(runner -> runner.program.close());
        }
        return lines;
    }

    /**
     * Measures the driver's forms against each other in time alone; a ratio is to the first of
     * them.
     */
    List<Line> measureForms() throws IOException {
        List<Line> lines = new ArrayList<>();
        List<Runner> runners = new ArrayList<>();
        try {
            for (FreeDevice.Form form : FreeDevice.Form.values()) {
                String depth = Integer.toString(DEPTH);
                start(runners, form.text(), Machine.java(DriverLoop.class, depth, form.name()));
            }
            warmUp(runners);
            for (int batch : BATCHES) {
                measure(lines, runners, batch, false);
            }
        } finally {
            runners.forEach(runner -> runner.program.close());
        }
        return lines;
    }

    private void warmUp(List<Runner> runners) throws IOException {
        for (int i = 0; i < WARM_UPS; i++) {
            for (int batch : BATCHES) {
                for (Runner runner : runners) {
                    sample(runner.program, batch);
                }
            }
        }
    }

    private void measure(List<Line> lines, List<Runner> runners, int batch, boolean steps)
            throws IOException {
        for (int i = 0; i < pairs; i++) {
            for (Runner runner : runners) {
                runner.nanos[i] = sample(runner.program, batch);
            }
        }
        double[] java = runners.getFirst().nanos;
        for (Runner runner : runners) {
            double[] ratios = new double[pairs];
            for (int i = 0; i < pairs; i++) {
                ratios[i] = java[i] / runner.nanos[i];
            }
            lines.add(
                    new Line(
                            batch,
                            runner.name,
                            Spread.of(runner.nanos),
                            Spread.of(ratios),
                            steps ? instructions(runner, batch) : OptionalDouble.empty()));
        }
    }

    private void start(List<Runner> runners, String name, List<String> command) throws IOException {
        runners.add(new Runner(name, Machine.pinned(core, command), pairs));
    }

    private static List<String> program(Path path) {
        return List.of(path.toString(), Integer.toString(DEPTH));
    }

    private double sample(Coprocess program, int batch) throws IOException {
        String answer = program.ask(batch + " " + commands);
        return Double.parseDouble(answer) / commands;
    }

    /** Steps the program through some of its commands while it runs more than enough of them. */
    private OptionalDouble instructions(Runner runner, int batch) throws IOException {
        Coprocess program = runner.program;
        List<String> about = program.hello();
        program.send(batch + " " + 50 * commands);
        OptionalDouble counted;
        try {
            String[] words =
                    Machine.run(
                                    List.of(
                                            programs.steps().toString(),
                                            about.get(0),
                                            about.get(1),
                                            about.get(2),
                                            Long.toString(STEPS)))
                            .split(" ", -1);
            double seen = Double.parseDouble(words[1]);
            counted =
                    seen > 0
                            ? OptionalDouble.of(Double.parseDouble(words[0]) / seen)
                            : OptionalDouble.empty();
        } catch (IOException e) {
            System.err.println("Instructions are not counted: " + e.getMessage());
            counted = OptionalDouble.empty();
        }
        // in virtual machines a thread can get the trap of its last step when nobody steps it any
        // more, which ends its process: what was stepped is not measured again
        program.close();
        runner.program = new Coprocess(runner.command);
        warmUp(List.of(runner));
        return counted;
    }
}
