package dev.peerlane.lab;

/**
 * A Debian package that is downloaded and unpacked but never installed. See {@link PackageIndex}.
 *
 * @param name the name of the package
 * @param version the version of the package
 */
record DebianPackage(String name, String version) {
    /** Returns a directory name for what is built from this version. */
    String folderName() {
        return (name + "_" + version).replaceAll("[^A-Za-z0-9.+_-]", "-");
    }
}
