package dev.peerlane.lab;

/**
 * A Debian package that is fetched and unpacked, never installed: see {@link PackageIndex}.
 *
 * @param name of the package
 * @param version of the package
 */
record DebianPackage(String name, String version) {
    /** Returns a name for a folder that holds what was made of this version. */
    String folderName() {
        return (name + "_" + version).replaceAll("[^A-Za-z0-9.+_-]", "-");
    }
}
