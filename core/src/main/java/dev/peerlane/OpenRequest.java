package dev.peerlane;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be opened.
 *
 * @param fabricFile the file that describes the fabric, or null for none
 * @param locators the devices; all of one kind, and none for all that there are
 * @param hurried whether speed counts more than what an emulation could find
 */
public record OpenRequest(@Nullable Path fabricFile, List<Locator> locators, boolean hurried) {
    /** Keeps its own copy of the list. */
    public OpenRequest {
        locators = List.copyOf(locators);
    }

    /** Returns the kind of its locators, or null if it names none. */
    public Locator.@Nullable Kind kind() {
        return locators.isEmpty() ? null : locators.getFirst().kind();
    }
}
