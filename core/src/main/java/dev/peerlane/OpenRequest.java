package dev.peerlane;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request to open devices.
 *
 * @param fabricFile the file that describes the fabric, or null for none
 * @param locators the devices, all of one kind; empty for all devices of the fabric
 * @param hurried whether an emulation should prefer speed to finding more faults
 */
public record OpenRequest(@Nullable Path fabricFile, List<Locator> locators, boolean hurried) {
    /** Copies the list. */
    public OpenRequest {
        locators = List.copyOf(locators);
    }

    /** Returns the kind of the locators, or null if there are none. */
    public Locator.@Nullable Kind kind() {
        return locators.isEmpty() ? null : locators.getFirst().kind();
    }
}
