package dev.peerlane.linux;

/**
 * An ioctl request.
 *
 * @param name as the kernel's headers have it, for messages
 * @param number as the kernel's headers compute it
 */
public record Request(String name, int number) {
    /** Returns a request without a direction or size: the headers' {@code _IO(type, number)}. */
    public static Request io(String name, char type, int number) {
        return new Request(name, (type << 8) | number);
    }
}
