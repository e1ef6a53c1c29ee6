package dev.peerlane.fuzz;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Creates an argument list from bytes. The bytes select from what the commands declare: names of
 * options, their choices, and values of their kinds, valid and odd. If the first byte is {@code #},
 * the bytes are the arguments themselves, one per line, where {@code ~} is the private directory.
 */
final class FuzzedArguments {
    private static final char LINES = '#';
    private static final int MOST = 10;
    private static final String LONG = "a".repeat(5000);

    private static final List<String> ODD =
            List.of(
                    "",
                    "-",
                    "--",
                    "\u001b[2J",
                    "a\nb\rc",
                    "\u009b31m\u007f\u202e",
                    "\ud83d\ude00",
                    "\ud83d",
                    "%s%n%d",
                    "${sys:user.home}",
                    "@noise",
                    "a\u0000b",
                    "'\"\\",
                    " ",
                    "=",
                    ",",
                    LONG);

    private static final List<String> SIZES =
            List.of("4KiB", "512", "64KiB", "1MiB", "0", "-1", "8EiB", "16EiB", "1.5K", "4 KiB");

    private static final List<String> NUMBERS =
            List.of(
                    "1",
                    "2",
                    "7",
                    "64",
                    "0",
                    "-1",
                    "1024",
                    "2147483647",
                    "2147483648",
                    "1e3",
                    "0x10",
                    "9223372036854775807",
                    "9223372036854775808");

    private static final List<String> SECONDS =
            List.of("0.001", "1", "0", "-1", "NaN", "Infinity", "1e308", "1e-300", "0x1p3");

    private static final List<String> SPACES =
            List.of("", "", "/n1", "/n2", "@0+8", "/n1@8+8", "@0", "@2047+2", "/n1@-1+0");

    private static final List<String> BLOCKS =
            List.of("-1-0-7", "-1-0-8", "-1-64-7", "-2-0-0", "-1-0-65535", "-0-0-0", "---");

    private static final List<String> RANGES =
            List.of("0+8", "0+64", "emu:ssd0@0+64", "emu:ssd0/n1@8+8", "0+0", "9+", "0+999999999");

    private static final List<String> WORDS =
            List.of(
                    "auto",
                    "target",
                    "source",
                    "host",
                    "third",
                    "none",
                    "all",
                    "first",
                    "sentinel",
                    "canary",
                    "readback",
                    "peer",
                    "show",
                    "disable",
                    "restore",
                    "bash",
                    "zsh",
                    "list",
                    "EMU-ssd0",
                    "EMU-ssd1",
                    "SA,SB");

    /** Options that keep a command short, unless the bytes select them. */
    private static final Map<String, List<String>> SHORT =
            Map.of(
                    "bench", List.of("--time=0.001", "--sweep=none"),
                    "litmus", List.of("--slots=64", "--scratch=0+64"),
                    "demo", List.of("--size=64KiB"));

    private static final String QEMU = "qemu:01:00.0";

    private final FuzzedSystem host;
    private final Input input;
    private final Map<String, CommandLine> commands;
    private List<String> world = List.of();

    private FuzzedArguments(FuzzedSystem host, Input input, CommandLine program) {
        this.host = host;
        this.input = input;
        commands = program.getSubcommands();
    }

    /** Creates the arguments. */
    static List<String> of(FuzzedSystem host, byte[] data, CommandLine program) {
        if (data.length > 0 && data[0] == LINES) {
            String folder = host.folder().toString();
            Input lines = new Input(Arrays.copyOfRange(data, 1, data.length));
            List<String> arguments = new ArrayList<>();
            while (!lines.isEmpty() && arguments.size() < 2 * MOST) {
                arguments.add(lines.line().replace("~", folder));
            }
            return arguments;
        }
        return new FuzzedArguments(host, new Input(data), program).drawn(program);
    }

    private List<String> drawn(CommandLine program) {
        List<String> names = List.copyOf(commands.keySet());
        int which = input.below(names.size() + 2);
        List<String> arguments = new ArrayList<>();
        CommandSpec spec = program.getCommandSpec();
        if (which < names.size()) {
            arguments.add(names.get(which));
            spec = commands.get(names.get(which)).getCommandSpec();
        } else if (which == names.size()) {
            arguments.add(odd());
        }
        int usual = input.int8();
        int fabric = input.below(8);
        world =
                switch (fabric) {
                    case 0, 1, 2 -> List.of("emu:ssd0", "emu:ssd1");
                    case 3, 4 -> List.of("emu:a", "emu:b", "emu:ssd1");
                    case 5 -> List.of("vfio-user:" + host.folder() + "/sockets/ssd0.sock", QEMU);
                    default -> host.drives().stream().map(Object::toString).toList();
                };
        boolean sound = (usual & 0x0f) != 0; // otherwise even required arguments may be missing
        for (ArgSpec each : spec.positionalParameters()) {
            if (sound && (each.required() || (usual & 0x10) != 0)) {
                arguments.add(value(each));
            }
        }
        for (OptionSpec each : spec.options()) {
            if (sound && each.required()) {
                option(each, arguments);
            }
        }
        for (int more = input.below(MOST); more > 0 && !input.isEmpty(); more--) {
            argument(spec, names, arguments);
        }
        if ((usual & 0xe0) != 0 && which < names.size()) {
            bound(names.get(which), arguments);
            if ((fabric == 3 || fabric == 4) && spec.findOption("--fabric") != null) {
                bound(arguments, "--fabric=" + host.folder() + "/fabric.yaml");
            }
        }
        return arguments;
    }

    private static void bound(String command, List<String> arguments) {
        SHORT.getOrDefault(command, List.of()).forEach(option -> bound(arguments, option));
    }

    private static void bound(List<String> arguments, String option) {
        if (!isThere(option.substring(0, option.indexOf('=')), arguments)) {
            arguments.add(1, option);
        }
    }

    private void argument(CommandSpec spec, List<String> names, List<String> arguments) {
        int how = input.below(32);
        if (how == 0) {
            arguments.add(odd());
        } else if (how == 1) {
            option(pick(commands.get(pick(names)).getCommandSpec().options()), arguments);
        } else if (how < 8 && takesMore(spec, how)) {
            arguments.add(value(spec.positionalParameters().getLast()));
        } else {
            OptionSpec option = pick(spec.options());
            boolean again = Arrays.stream(option.names()).anyMatch(n -> isThere(n, arguments));
            if (!(again || option.usageHelp()) || how > 30) {
                option(option, arguments);
            }
        }
    }

    /** Returns whether to add a positional parameter; occasionally one too many. */
    private static boolean takesMore(CommandSpec spec, int how) {
        List<PositionalParamSpec> places = spec.positionalParameters();
        return !places.isEmpty() && (how == 2 || places.getLast().index().isVariable());
    }

    private static boolean isThere(String option, List<String> arguments) {
        return arguments.stream().anyMatch(a -> a.equals(option) || a.startsWith(option + "="));
    }

    private void option(OptionSpec option, List<String> arguments) {
        String name = pick(List.of(option.names()));
        if (option.arity().max() == 0) {
            arguments.add(name);
            return;
        }
        String value = value(option);
        if (input.flag()) {
            arguments.add(name + "=" + value);
        } else {
            arguments.add(name);
            arguments.add(value);
        }
    }

    /**
     * Returns a value of the kind that an option or parameter takes; occasionally an arbitrary one.
     */
    private String value(ArgSpec wanted) {
        String label = wanted.paramLabel().toUpperCase(Locale.ROOT);
        int how = input.below(32);
        if (how == 31) {
            return odd();
        }
        if (how == 30) {
            return wanted.splitRegex().isEmpty() ? pick(WORDS) : plain(label) + "," + plain(label);
        }
        if (wanted.completionCandidates() != null && how < 26) {
            List<String> choices = new ArrayList<>();
            wanted.completionCandidates().forEach(choices::add);
            return choices.isEmpty() ? odd() : pick(choices);
        }
        if (Path.class.equals(wanted.type()) || (label.contains("FILE") && input.flag())) {
            return file();
        }
        if (wanted.paramLabel().contains("|") && how < 26) {
            return pick(List.of(wanted.paramLabel().split("\\|")));
        }
        return plain(label);
    }

    private String plain(String label) {
        return switch (label) {
            case "SIZE" -> pick(SIZES);
            case "N" -> pick(NUMBERS);
            case "SECONDS" -> pick(SECONDS);
            case "SLBA+BLOCKS", "RANGE" -> pick(RANGES);
            case "WHICH" -> input.flag() ? pick(WORDS) : device();
            case "ID-NS-SLBA-NLB" -> pick(world) + pick(BLOCKS);
            case "ID" -> pick(world);
            case "HOW", "SHELL", "SERIAL", "COMMAND" -> pick(WORDS);
            default -> device();
        };
    }

    private String device() {
        int how = input.below(24);
        String space = how < 12 ? "" : pick(SPACES);
        String device =
                how % 12 < 10 ? pick(world) : how % 12 == 10 ? file() : pick(List.of(odd(), QEMU));
        return device + space;
    }

    private String file() {
        String name = input.below(8) == 0 ? odd().replace("..", "") : pick(FuzzedSystem.NAMES);
        return host.folder() + "/" + name;
    }

    private String odd() {
        int which = input.below(2 * ODD.size());
        return which < ODD.size() ? ODD.get(which) : input.line();
    }

    private <T> T pick(List<? extends T> from) {
        return from.get(input.below(from.size()));
    }
}
