package dev.peerlane.nvme;

/**
 * The result of an admin command.
 *
 * @param status the status field without the phase tag; 0 for success
 * @param dw0 dword 0 of the completion
 */
public record AdminResult(int status, int dw0) {}
