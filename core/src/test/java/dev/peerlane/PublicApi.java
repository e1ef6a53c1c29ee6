package dev.peerlane;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The public API: the public types of the packages that the module exports to everybody, with their
 * public and protected members, as sorted lines of text.
 */
final class PublicApi {
    private static final Pattern EXPORT = Pattern.compile("(?m)^    exports ([\\w.]+);$");
    private static final Set<String> OF_EVERY_RECORD = Set.of("equals", "hashCode", "toString");
    private static final Set<String> OF_EVERY_ENUM = Set.of("values", "valueOf");

    private final List<Class<?>> types = new ArrayList<>();

    /** Reads the exports from a module's source, and loads the types of these packages. */
    PublicApi(Path moduleInfo, Path classes) throws IOException {
        Matcher export = EXPORT.matcher(Files.readString(moduleInfo));
        while (export.find()) {
            Path folder = classes.resolve(export.group(1).replace('.', '/'));
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.sorted().toList()) {
                    String name = file.getFileName().toString();
                    if (name.endsWith(".class") && !name.equals("package-info.class")) {
                        add(export.group(1) + "." + name.replace(".class", ""));
                    }
                }
            }
        }
    }

    private void add(String name) {
        try {
            Class<?> type = Class.forName(name, false, PublicApi.class.getClassLoader());
            if (isVisible(type)) {
                types.add(type);
            }
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isVisible(Class<?> type) {
        Class<?> outer = type.getEnclosingClass();
        return !type.isAnonymousClass()
                && !type.isLocalClass()
                && isVisible(type.getModifiers())
                && (outer == null || isVisible(outer));
    }

    private static boolean isVisible(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    /** Returns the number of types, including nested ones. */
    int typeCount() {
        return types.size();
    }

    /** Returns a line for each type, followed by a line for each of its members. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Class<?> type : types) {
            lines.add(declaration(type));
            members(type).forEach(member -> lines.add("    " + member));
        }
        return lines;
    }

    private static String declaration(Class<?> type) {
        String what =
                type.isRecord()
                        ? "record"
                        : type.isEnum() ? "enum" : type.isInterface() ? "interface" : "class";
        StringBuilder line = new StringBuilder();
        if (what.equals("class")) {
            line.append(words(type.getModifiers() & (Modifier.ABSTRACT | Modifier.FINAL)));
        }
        line.append(what).append(' ').append(type.getName());
        if (type.isRecord()) {
            line.append(
                    Stream.of(type.getRecordComponents())
                            .map(c -> name(c.getGenericType()) + " " + c.getName())
                            .collect(Collectors.joining(", ", "(", ")")));
        }
        if (what.equals("class") && type.getSuperclass() != Object.class) {
            line.append(" extends ").append(name(type.getGenericSuperclass()));
        }
        if (type.getInterfaces().length > 0) {
            line.append(type.isInterface() ? " extends " : " implements ");
            line.append(names(type.getGenericInterfaces()));
        }
        return line.toString();
    }

    private static Set<String> members(Class<?> type) {
        Set<String> members = new TreeSet<>();
        for (Field field : type.getDeclaredFields()) {
            if (counts(field) && !field.isEnumConstant()) {
                members.add(start(field) + name(field.getGenericType()) + " " + field.getName());
            } else if (field.isEnumConstant()) {
                members.add(field.getName());
            }
        }
        for (Constructor<?> made : type.getDeclaredConstructors()) {
            if (counts(made) && !(type.isRecord() && isCanonical(type, made))) {
                members.add(start(made) + type.getSimpleName() + parameters(made));
            }
        }
        for (Method method : type.getDeclaredMethods()) {
            if (counts(method) && !goesWithoutSaying(type, method)) {
                members.add(
                        start(method)
                                + name(method.getGenericReturnType())
                                + " "
                                + method.getName()
                                + parameters(method));
            }
        }
        return members;
    }

    private static <M extends Member> boolean counts(M member) {
        return isVisible(member.getModifiers()) && !member.isSynthetic();
    }

    private static boolean isCanonical(Class<?> type, Constructor<?> made) {
        List<Class<?>> components =
                Stream.of(type.getRecordComponents())
                        .<Class<?>>map(RecordComponent::getType)
                        .toList();
        return components.equals(List.of(made.getParameterTypes()));
    }

    private static boolean goesWithoutSaying(Class<?> type, Method method) {
        boolean accessor =
                type.isRecord()
                        && method.getParameterCount() == 0
                        && Stream.of(type.getRecordComponents())
                                .anyMatch(c -> c.getName().equals(method.getName()));
        return accessor
                || (type.isRecord() && OF_EVERY_RECORD.contains(method.getName()))
                || (type.isEnum() && OF_EVERY_ENUM.contains(method.getName()));
    }

    private static String start(Member member) {
        int modifiers = member.getModifiers();
        int told = Modifier.PROTECTED | Modifier.STATIC | Modifier.ABSTRACT;
        boolean plain = member instanceof Method && member.getDeclaringClass().isInterface();
        return words(modifiers & (plain ? Modifier.STATIC : told));
    }

    private static String words(int modifiers) {
        return modifiers == 0 ? "" : Modifier.toString(modifiers) + " ";
    }

    private static String parameters(Executable of) {
        return Stream.of(of.getParameters())
                .map(Parameter::getParameterizedType)
                .map(PublicApi::name)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static String names(Type... types) {
        return Stream.of(types).map(PublicApi::name).collect(Collectors.joining(", "));
    }

    /** Returns the name of a type without its package, which the line of that type has. */
    private static String name(Type type) {
        return type.getTypeName().replaceAll("\\b[a-z]\\w*\\.(?=\\w)", "").replace('$', '.');
    }
}
