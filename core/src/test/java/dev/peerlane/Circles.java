package dev.peerlane;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Finds circles of top-level types inside packages: strongly connected components of more than one
 * type. A nested type counts as its top-level type. A sealed type and the types that it permits
 * count as one.
 */
public final class Circles {
    private final Map<String, Set<String>> uses = new TreeMap<>();
    private final Map<String, String> sealed = new TreeMap<>();
    private final Map<String, Set<String>> reached = new TreeMap<>();

    private Circles(JavaClasses classes) {
        classes.forEach(this::join);
        classes.forEach(this::take);
        uses.keySet().forEach(name -> reach(name, reached.computeIfAbsent(name, n -> set())));
    }

    /**
     * Returns each circle as its package, relative to the base, and the sorted simple names of its
     * types.
     */
    public static Set<String> of(JavaClasses classes, String base) {
        Circles circles = new Circles(classes);
        Set<String> found = set();
        for (String name : circles.uses.keySet()) {
            Set<String> circle = set();
            for (String other : circles.reached.getOrDefault(name, Set.of())) {
                if (circles.reached.getOrDefault(other, Set.of()).contains(name)) {
                    circle.add(other.substring(other.lastIndexOf('.') + 1));
                }
            }
            if (circle.size() > 1) {
                String room = name.substring(base.length(), name.lastIndexOf('.'));
                found.add(room.replaceFirst("^\\.", "") + ": " + String.join(" ", circle));
            }
        }
        return found;
    }

    private static <T extends Comparable<T>> Set<T> set() {
        return new TreeSet<>();
    }

    /** Lets the permitted types of a sealed top-level type share its name. */
    private void join(JavaClass c) {
        if (c.getEnclosingClass().isPresent() || !c.reflect().isSealed()) {
            return;
        }
        for (Class<?> permitted : c.reflect().getPermittedSubclasses()) {
            if (permitted.getPackageName().equals(c.getPackageName())) {
                sealed.put(topLevel(permitted.getName()), c.getName());
            }
        }
    }

    private void take(JavaClass c) {
        String from = nodeOf(c);
        for (var dependency : c.getDirectDependenciesFromSelf()) {
            JavaClass to = dependency.getTargetClass().getBaseComponentType();
            if (to.getPackageName().equals(c.getPackageName()) && !nodeOf(to).equals(from)) {
                uses.computeIfAbsent(from, f -> set()).add(nodeOf(to));
            }
        }
    }

    private void reach(String name, Set<String> into) {
        for (String next : uses.getOrDefault(name, Set.of())) {
            if (into.add(next)) {
                reach(next, into);
            }
        }
    }

    private String nodeOf(JavaClass c) {
        String name = topLevel(c.getName());
        while (sealed.containsKey(name) && !sealed.get(name).equals(name)) {
            name = sealed.get(name);
        }
        return name;
    }

    private static String topLevel(String name) {
        int dollar = name.indexOf('$');
        return dollar < 0 ? name : name.substring(0, dollar);
    }
}
