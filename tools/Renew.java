import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Gives the classes of a library, in place, the class-file version of Java 8 where theirs is older than
 * 50: those the ahead-of-time cache leaves out, for they have no stack maps. The code is the same,
 * with stack maps. usage: java Renew.java JAR...
 */
final class Renew {
    private static final int WITH_STACK_MAPS = ClassFile.JAVA_6_VERSION;

    private Renew() {}

    public static void main(String[] args) throws IOException {
        for (String arg : args) {
            renew(Path.of(arg));
        }
    }

    private static void renew(Path jar) throws IOException {
        Path renewed = Path.of(jar + ".renewed");
        boolean changed = false;
        try (JarFile from = new JarFile(jar.toFile());
                JarOutputStream to = new JarOutputStream(Files.newOutputStream(renewed))) {
            ClassFile classes = classes(from);
            for (JarEntry entry : (Iterable<JarEntry>) from.stream()::iterator) {
                byte[] bytes = bytes(from, entry);
                if (entry.getName().endsWith(".class")) {
                    ClassModel model = classes.parse(bytes);
                    if (model.majorVersion() < WITH_STACK_MAPS) {
                        bytes = classes.transformClass(model, newVersion());
                        changed = true;
                    }
                }
                to.putNextEntry(new JarEntry(entry.getName()));
                to.write(bytes);
            }
        }
        if (changed) {
            Files.move(renewed, jar, StandardCopyOption.REPLACE_EXISTING);
        } else {
            Files.delete(renewed);
        }
    }

    /** Code is built anew, so that it gets stack maps; the version comes first, for they depend on it. */
    private static ClassTransform newVersion() {
        return (builder, element) -> {
            switch (element) {
                case ClassFileVersion old ->
                        builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
                case MethodModel method ->
                        builder.transformMethod(
                                method, MethodTransform.transformingCode(CodeTransform.ACCEPT_ALL));
                default -> builder.with(element);
            }
        };
    }

    /** Stack maps need the hierarchy of the library's own classes, read from the library. */
    private static ClassFile classes(JarFile jar) {
        ClassHierarchyResolver own =
                ClassHierarchyResolver.ofResourceParsing(
                        type -> {
                            String name = type.descriptorString();
                            return open(jar, name.substring(1, name.length() - 1) + ".class");
                        });
        return ClassFile.of(
                ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                ClassFile.ClassHierarchyResolverOption.of(
                        own.orElse(ClassHierarchyResolver.defaultResolver())));
    }

    private static InputStream open(JarFile jar, String name) {
        JarEntry entry = jar.getJarEntry(name);
        try {
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException e) {
            return null;
        }
    }

    private static byte[] bytes(JarFile jar, JarEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }
}
