package dev.peerlane;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Checks that the dependencies between packages are those that ARCHITECTURE.md draws. */
class ArchitectureTest {
    private static final String BASE = "dev.peerlane";

    /** What every package may use of the base package: the errors, and bit fields. */
    private static final Set<String> ERRORS = Set.of("PeerlaneException", "Bits");

    /** The rest of the base package. */
    private static final String FRONT = "the front";

    /** The packages that each package may use, besides the errors. */
    private static final Map<String, Set<String>> ARROWS =
            Map.ofEntries(
                    Map.entry("spec", Set.of("spec.layout")),
                    Map.entry("spec.layout", Set.of()),
                    Map.entry("guard", Set.of()),
                    Map.entry("spec.wire", Set.of("spec", "spec.layout")),
                    Map.entry("mem", Set.of()),
                    Map.entry("linux", Set.of()),
                    Map.entry("pci", Set.of("mem")),
                    Map.entry("pci.sysfs", Set.of("pci")),
                    Map.entry("hal", Set.of("pci", "mem")),
                    Map.entry("hal.parts", Set.of("hal", "pci", "mem")),
                    Map.entry("block", Set.of("pci", "mem")),
                    Map.entry(
                            "nvme",
                            Set.of("block", "hal", "pci", "mem", "spec", "spec.wire", "hal.parts")),
                    Map.entry("copy", Set.of("block", "hal", "pci", "mem", "hal.parts")),
                    Map.entry("copy.planning", Set.of("copy", "block", "pci")),
                    Map.entry(
                            "copy.engine",
                            Set.of(
                                    "copy",
                                    "block",
                                    "hal",
                                    "pci",
                                    "mem",
                                    "copy.planning",
                                    "hal.parts")),
                    Map.entry(
                            "emulator",
                            Set.of(
                                    "emulator.model",
                                    "emulator.watch",
                                    "emulator.tree",
                                    "emulator.bus",
                                    "emulator.controller",
                                    "emulator.media",
                                    "hal",
                                    "hal.parts",
                                    "pci",
                                    "mem")),
                    Map.entry("emulator.model", Set.of("pci", "spec", "spec.wire")),
                    Map.entry("emulator.watch", Set.of("emulator.model", "pci")),
                    Map.entry(
                            "emulator.tree",
                            Set.of(
                                    "emulator.model",
                                    "hal",
                                    "pci",
                                    "spec",
                                    "hal.parts",
                                    "spec.wire")),
                    Map.entry(
                            "emulator.bus",
                            Set.of(
                                    "emulator.tree",
                                    "emulator.model",
                                    "emulator.watch",
                                    "hal",
                                    "pci",
                                    "spec",
                                    "spec.wire")),
                    Map.entry("emulator.media", Set.of("emulator.model", "spec")),
                    Map.entry(
                            "emulator.controller",
                            Set.of(
                                    "emulator.bus",
                                    "emulator.tree",
                                    "emulator.media",
                                    "emulator.model",
                                    "emulator.watch",
                                    "mem",
                                    "pci",
                                    "spec",
                                    "spec.wire")),
                    Map.entry("qtest", Set.of("hal", "pci", "mem", "hal.parts")),
                    Map.entry("binding", Set.of("pci", "linux", "pci.sysfs")),
                    Map.entry(
                            "vfio", Set.of("hal", "pci", "mem", "linux", "hal.parts", "pci.sysfs")),
                    Map.entry(
                            "diagnose",
                            Set.of(
                                    "copy",
                                    "pci",
                                    "hal",
                                    "linux",
                                    "spec.wire",
                                    "pci.sysfs",
                                    "copy.planning")),
                    Map.entry("vfiouser", Set.of("hal", "pci", "mem", "linux", "hal.parts")),
                    Map.entry(
                            "serve",
                            Set.of(
                                    "emulator",
                                    "emulator.model",
                                    "emulator.watch",
                                    "vfiouser",
                                    "hal",
                                    "pci",
                                    "mem",
                                    "linux",
                                    "hal.parts")),
                    Map.entry(
                            FRONT,
                            Set.of(
                                    "block",
                                    "hal",
                                    "pci",
                                    "nvme",
                                    "guard",
                                    "copy",
                                    "copy.engine",
                                    "spec",
                                    "hal.parts",
                                    "copy.planning")),
                    Map.entry(
                            "provider",
                            Set.of(
                                    FRONT,
                                    "nvme",
                                    "pci",
                                    "hal",
                                    "linux",
                                    "emulator",
                                    "emulator.model",
                                    "vfio",
                                    "vfiouser")),
                    Map.entry(
                            "probe",
                            Set.of(
                                    FRONT,
                                    "nvme",
                                    "block",
                                    "pci",
                                    "hal",
                                    "spec",
                                    "diagnose",
                                    "spec.wire")));

    private static final int MOST_PARAMETERS = 6;

    /** Signatures that stay long, and why. */
    private static final Set<String> LONG_SIGNATURES =
            Set.of(
                    // an I/O makes no object, so a range of memory comes in its three parts
                    "Interconnect.read",
                    "FastInterconnect.read",
                    "PacketInterconnect.read",
                    "Interconnect.store",
                    // syscall(2) has a number and six arguments
                    "KernelCalls.call",
                    "KernelCalls.again");

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages(BASE);

    @Test
    void everyDependencyBetweenPackagesIsAnArrowOfTheDesign() {
        Set<String> broken = new TreeSet<>();
        Map<String, Set<String>> seen = new TreeMap<>();
        for (JavaClass from : CLASSES) {
            String source = packageOf(from);
            for (var dependency : from.getDirectDependenciesFromSelf()) {
                JavaClass to = dependency.getTargetClass().getBaseComponentType();
                if (!to.getPackageName().startsWith(BASE)) {
                    continue;
                }
                String target = packageOf(to);
                seen.computeIfAbsent(source, s -> new TreeSet<>()).add(target);
                boolean allowed =
                        target.equals(source)
                                || target.isEmpty()
                                || ARROWS.getOrDefault(source, Set.of()).contains(target);
                if (!allowed) {
                    broken.add(source + " → " + target + ": " + dependency.getDescription());
                }
            }
        }
        assertThat(broken).isEmpty();
        assertThat(seen.keySet()).as("packages that were looked at").contains("hal", "pci");
    }

    @Test
    void noTypesOfOnePackageUseEachOtherInACircle() {
        assertThat(Circles.of(CLASSES, BASE))
                .as("a part gets an interface with what it calls, not the type around it")
                .isEmpty();
    }

    @Test
    void noSignatureIsLongerThanItCanBeRead() {
        Set<String> found = new TreeSet<>();
        for (JavaClass c : CLASSES) {
            for (JavaCodeUnit unit : c.getCodeUnits()) {
                if (written(c, unit) > MOST_PARAMETERS && !isOfRecord(c, unit)) {
                    found.add(c.getSimpleName() + "." + unit.getName());
                }
            }
        }
        assertThat(found)
                .as("signatures of more than %d parameters", MOST_PARAMETERS)
                .containsExactlyInAnyOrderElementsOf(LONG_SIGNATURES);
    }

    /** Returns how many parameters of a method or constructor are in its source. */
    private static int written(JavaClass c, JavaCodeUnit unit) {
        boolean lambda = unit.getName().startsWith("lambda$");
        boolean enumConstructor = c.isEnum() && unit.isConstructor();
        boolean inner =
                unit.isConstructor()
                        && c.isInnerClass()
                        && !c.getModifiers().contains(JavaModifier.STATIC);
        int added = enumConstructor ? 2 : inner ? 1 : 0;
        return lambda ? 0 : unit.getRawParameterTypes().size() - added;
    }

    private static boolean isOfRecord(JavaClass c, JavaCodeUnit unit) {
        return c.isRecord() && unit.isConstructor();
    }

    @Test
    void noTwoTypesHaveOneName() {
        Map<String, Set<String>> packages = new TreeMap<>();
        for (JavaClass c : CLASSES) {
            if (c.isTopLevelClass() && !c.getSimpleName().equals("package-info")) {
                packages.computeIfAbsent(c.getSimpleName(), n -> new TreeSet<>()).add(packageOf(c));
            }
        }
        packages.values().removeIf(rooms -> rooms.size() == 1);
        assertThat(packages).isEmpty();
    }

    @Test
    void everyPackageHasItsArrowsListed() {
        Set<String> packages = new TreeSet<>();
        CLASSES.forEach(c -> packages.add(packageOf(c)));
        packages.remove("");
        assertThat(ARROWS.keySet()).containsAll(packages);
    }

    @Test
    void theArrowsAreThoseThatAreDrawn() throws IOException {
        Map<String, Set<String>> drawn =
                DrawnArrows.below("Besides the errors, each package may use");
        Map<String, Set<String>> held = new TreeMap<>();
        ARROWS.forEach((source, targets) -> held.put(word(source), words(targets)));
        assertThat(drawn).isEqualTo(held);
    }

    private static String word(String name) {
        return name.equals(FRONT) ? "front" : name;
    }

    private static Set<String> words(Set<String> targets) {
        Set<String> words = new TreeSet<>();
        targets.forEach(each -> words.add(word(each)));
        return words;
    }

    @Test
    void theErrorsUseNoPackage() {
        DescribedPredicate<JavaClass> errors =
                DescribedPredicate.describe("the errors", c -> packageOf(c).isEmpty());
        noClasses()
                .that(errors)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(BASE + ".*..")
                .check(CLASSES);
    }

    @Test
    void nothingButMemAndLinuxWidensASegment() {
        Set<String> allowed = Set.of("mem", "linux");
        DescribedPredicate<JavaClass> others =
                DescribedPredicate.describe(
                        "classes outside " + allowed, c -> !allowed.contains(packageOf(c)));
        noClasses()
                .that(others)
                .should()
                .callMethodWhere(
                        DescribedPredicate.describe(
                                "it is MemorySegment.reinterpret",
                                call -> call.getTarget().getName().equals("reinterpret")))
                .check(CLASSES);
    }

    @Test
    void theLibraryNeedsTheJdkAndJspecifyAlone() {
        classes()
                .should()
                .onlyDependOnClassesThat(
                        DescribedPredicate.describe(
                                "are the JDK's, JSpecify's or its own",
                                c ->
                                        c.getBaseComponentType().isPrimitive()
                                                || c.getPackageName()
                                                        .matches(
                                                                "(java|jdk|org\\.jspecify|dev\\.peerlane)(\\..*)?")))
                .check(CLASSES);
    }

    @Test
    void onlyLinuxHoldsALinker() {
        DescribedPredicate<JavaClass> others =
                DescribedPredicate.describe(
                        "classes outside linux", c -> !packageOf(c).equals("linux"));
        noClasses()
                .that(others)
                .should()
                .dependOnClassesThat()
                .areAssignableTo(java.lang.foreign.Linker.class)
                .check(CLASSES);
    }

    @Test
    void theLibraryStartsThreadsInOnePlaceAndSleepsNowhere() {
        classes()
                .that()
                .resideInAPackage(BASE + "..")
                .and()
                .doNotHaveFullyQualifiedName(BASE + ".BackgroundCopy")
                .should()
                .onlyCallMethodsThat(
                        DescribedPredicate.describe(
                                "neither start threads nor sleep",
                                m ->
                                        !(m.getOwner().isAssignableTo(Thread.class)
                                                && Set.of("sleep", "start", "startVirtualThread")
                                                        .contains(m.getName()))))
                .check(CLASSES);
    }

    private static String packageOf(JavaClass c) {
        String name = c.getPackageName();
        if (name.equals(BASE)) {
            String type = c.getName().substring(BASE.length() + 1).split("\\$", 2)[0];
            return ERRORS.contains(type) ? "" : FRONT;
        }
        return name.substring(BASE.length() + 1);
    }
}
