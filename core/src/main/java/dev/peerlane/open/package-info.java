/**
 * From names to devices: locators, fabric files, and {@linkplain dev.peerlane.open.Session
 * sessions} that open what they name. The only package that reads YAML.
 */
@NullMarked
package dev.peerlane.open;

import org.jspecify.annotations.NullMarked;
