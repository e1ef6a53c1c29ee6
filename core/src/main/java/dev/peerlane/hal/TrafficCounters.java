package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;

/**
 * Bytes that functions have moved by DMA since the fabric was created, counted by the fabric
 * itself. They prove that a copy was peer to peer.
 */
public interface TrafficCounters {
    /**
     * The bytes that one function has moved. "Read" is a DMA read, from memory into the function.
     *
     * @param hostDataRead data of I/O commands read from host memory
     * @param hostDataWritten data of I/O commands written to host memory
     * @param hostAdminRead data of admin commands read from host memory
     * @param hostAdminWritten data of admin commands (Identify, log pages) written to host memory
     * @param hostQueue queue entries, both directions
     * @param hostPrpLists PRP lists and SGL segments
     * @param peerRead bytes read from other functions' BARs
     * @param peerWritten bytes written to other functions' BARs
     * @param ownMemory bytes moved inside the function, to and from its own CMB
     * @param faulted bytes to or from addresses that nothing decodes
     */
    record Traffic(
            long hostDataRead,
            long hostDataWritten,
            long hostAdminRead,
            long hostAdminWritten,
            long hostQueue,
            long hostPrpLists,
            long peerRead,
            long peerWritten,
            long ownMemory,
            long faulted) {
        /** Returns the data bytes of I/O commands that crossed host memory. */
        public long hostData() {
            return hostDataRead + hostDataWritten;
        }
    }

    /** Returns how many bytes a function has moved so far. */
    Traffic of(Bdf function);

    /** Returns the sum over all functions. */
    Traffic total();
}
