package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Compares the cost of submit and poll in Java and in C, on a device whose I/O costs nothing.
 * Samples of the three programs alternate on one core, so other load affects all of them alike. A
 * ratio is the median of the ratios of neighbouring samples.
 */
final class DriverCost {
    private static final int DEPTH = 32;
    private static final long STEPS = 200_000;
    private static final int WARM_UPS = 6;

    /** The numbers of commands per doorbell write, which are also in flight together. */
    static final List<Integer> BATCHES = List.of(1, 8, 32);

    private static final String JAVA = "Java";
    private static final String C = "C";
    private static final String CHECKED = "C, checks";

    /**
     * The result of one program at one batch size.
     *
     * @param nanos the nanoseconds per command
     * @param ratio the first program's nanoseconds divided by this one's
     * @param instructions the instructions per command, if they could be counted
     */
    record Line(
            int batch, String program, Spread nanos, Spread ratio, OptionalDouble instructions) {}

    private final CPrograms programs;
    private final int core;
    private final int pairs;
    private final long commands;

    /**
     * Prepares the comparison.
     *
     * @param pairs the number of samples of each program
     * @param commands the number of commands per sample
     */
    DriverCost(CPrograms programs, int core, int pairs, long commands) {
        this.programs = programs;
        this.core = core;
        this.pairs = pairs;
        this.commands = commands;
    }

    /** A program under measurement and its samples at the current batch size. */
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

    /** Compares only the times of the driver's forms. A ratio is relative to the first form. */
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

    /** Single-steps the program through some commands while it runs more than enough of them. */
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
        // In virtual machines, a thread can receive the trap of its last step after the stepper is
        // gone, which ends its process. So a stepped program is not measured again.
        program.close();
        runner.program = new Coprocess(runner.command);
        warmUp(List.of(runner));
        return counted;
    }
}
