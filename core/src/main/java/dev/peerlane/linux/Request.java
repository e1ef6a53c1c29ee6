package dev.peerlane.linux;

/**
 * An ioctl request.
 *
 * @param name name in the kernel's headers, for messages
 * @param number request number, as the kernel's headers compute it
 */
public record Request(String name, int number) {
    /** Returns a request without a direction or size: the headers' {@code _IO(type, number)}. */
    public static Request io(String name, char type, int number) {
        return new Request(name, (type << 8) | number);
    }
}
