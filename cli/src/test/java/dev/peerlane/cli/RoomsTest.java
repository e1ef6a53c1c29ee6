package dev.peerlane.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.peerlane.Circles;
import dev.peerlane.DrawnArrows;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Checks the packages of the program against ARCHITECTURE.md. */
class RoomsTest {
    private static final String BASE = "dev.peerlane.cli";
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages(BASE);

    /** Classes outside the entry that may use the argument parser. */
    private static final Pattern OF_ARGUMENTS = Pattern.compile(".*(Command|Options?)|Failures");

    private static String room(JavaClass c) {
        String name = c.getPackageName();
        return name.equals(BASE) ? "entry" : name.substring(BASE.length() + 1);
    }

    private static String topLevel(JavaClass c) {
        return c.getName().substring(c.getName().lastIndexOf('.') + 1).split("\\$", 2)[0];
    }

    private static DescribedPredicate<JavaClass> named(String what, Pattern names) {
        return DescribedPredicate.describe(what, c -> names.matcher(topLevel(c)).matches());
    }

    private static DescribedPredicate<JavaClass> of(String kind) {
        return named(kind, Pattern.compile(".*" + kind)).and(inTheProgram());
    }

    private static DescribedPredicate<JavaClass> inTheProgram() {
        return DescribedPredicate.describe(
                "in the program", c -> c.getPackageName().startsWith(BASE));
    }

    @Test
    void whatARoomUsesOfTheOthersIsDrawn() throws IOException {
        Map<String, Set<String>> seen = new TreeMap<>();
        for (JavaClass from : CLASSES) {
            Set<String> targets = seen.computeIfAbsent(room(from), s -> new TreeSet<>());
            for (var dependency : from.getDirectDependenciesFromSelf()) {
                JavaClass to = dependency.getTargetClass().getBaseComponentType();
                if (to.getPackageName().startsWith(BASE) && !room(to).equals(room(from))) {
                    targets.add(room(to));
                }
            }
        }
        assertThat(seen).isEqualTo(DrawnArrows.below("Each room of the program may use"));
    }

    @Test
    void noTypesOfARoomUseEachOtherInACircle() {
        assertThat(Circles.of(CLASSES, BASE)).isEmpty();
    }

    @Test
    void onlyCommandsAndOptionsKnowTheParserOfArguments() {
        noClasses()
                .that(
                        DescribedPredicate.describe(
                                "neither in the entry nor about arguments",
                                c ->
                                        !c.getPackageName().equals(BASE)
                                                && !OF_ARGUMENTS.matcher(topLevel(c)).matches()))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("picocli..")
                .check(CLASSES);
    }

    @Test
    void aCommandIsKnownToTheEntryAlone() {
        DescribedPredicate<JavaClass> commands = of("Command");
        for (JavaClass from : CLASSES) {
            from.getDirectDependenciesFromSelf().stream()
                    .map(d -> d.getTargetClass().getBaseComponentType())
                    .filter(commands)
                    .filter(to -> !topLevel(to).equals(topLevel(from)))
                    .forEach(to -> assertThat(room(from)).as("%s", from).isEqualTo("entry"));
        }
    }

    @Test
    void aDocumentKnowsNeitherItsViewNorWhereItIsPrinted() {
        noClasses().that(of("Document")).should().dependOnClassesThat(of("Views?")).check(CLASSES);
        noClasses()
                .that(of("Document"))
                .should()
                .dependOnClassesThat()
                .areAssignableTo(PrintWriter.class)
                .check(CLASSES);
    }

    @Test
    void aViewOpensNoDevice() {
        noClasses()
                .that(of("Views?"))
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("dev.peerlane.Session")
                .check(CLASSES);
    }

    @Test
    void everyCommandIsInARoom() {
        classes()
                .that(of("Command"))
                .and()
                .doNotHaveSimpleName("PeerlaneCommand")
                .and(DescribedPredicate.describe("top level", c -> !c.isNestedClass()))
                .should()
                .bePublic()
                .andShould()
                .resideInAPackage(BASE + ".*")
                .check(CLASSES);
    }
}
