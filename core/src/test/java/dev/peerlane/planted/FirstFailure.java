package dev.peerlane.planted;

import static org.junit.platform.engine.discovery.ClassNameFilter.excludeClassNamePatterns;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClasspathRoots;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs tests in a process of their own until one fails; says each one's name on standard output
 * before it runs, and the name of the one that failed. Exit status: 0 none failed, 1 one did, 2
 * nothing ran.
 */
final class FirstFailure {
    static final String RUNS = "runs ";
    static final String FAILS = "fails ";
    private static final int NONE = 0;
    private static final int FAILED = 1;
    private static final int NOTHING_RAN = 2;

    private FirstFailure() {}

    /** Arguments: a folder of test classes, or names of classes. */
    public static void main(String[] args) {
        List<? extends DiscoverySelector> selectors =
                args[0].contains("/")
                        ? selectClasspathRoots(Set.of(Path.of(args[0])))
                        : List.of(args).stream().map(c -> selectClass(c)).toList();
        LauncherDiscoveryRequest request =
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectors)
                        // it reads all classes, of which there are two of the planted one
                        .filters(excludeClassNamePatterns(".*ArchitectureTest", ".*planted.*"))
                        .filters(TagFilter.excludeTags("qemu", "guest", "kernel"))
                        .build();
        Listener listener = new Listener();
        LauncherFactory.create().execute(request, listener);
        Runtime.getRuntime().halt(listener.ran ? NONE : NOTHING_RAN);
    }

    private static final class Listener implements TestExecutionListener {
        private boolean ran;

        @Override
        public void executionStarted(TestIdentifier test) {
            if (test.isTest()) {
                ran = true;
                System.out.println(RUNS + name(test));
            }
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                System.out.println(FAILS + name(test));
                result.getThrowable().ifPresent(e -> System.err.println(name(test) + ": " + e));
                System.out.flush();
                // the rest does not matter, and threads of the test may hang
                Runtime.getRuntime().halt(FAILED);
            }
        }

        private static String name(TestIdentifier test) {
            return switch (test.getSource().orElse(null)) {
                case MethodSource m -> m.getClassName() + "." + m.getMethodName();
                case ClassSource c -> c.getClassName();
                case null, default -> test.getDisplayName();
            };
        }
    }
}
