package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.wire.Sqe;

/** Finds the memory that holds the data of a command, from its PRPs or its SGL. */
final class DataPlaces {
    private final PrpWalker prps;
    private final SglWalker sgls;
    private final HostSettings settings;
    private final boolean takesSgls;

    DataPlaces(DmaPort dma, Cmb cmb, DriveModel drive, HostSettings settings) {
        this.prps = new PrpWalker(dma, cmb);
        this.sgls = new SglWalker(dma, cmb, drive.sgls() == DriveModel.Sgls.DWORDS);
        this.takesSgls = drive.sgls() != DriveModel.Sgls.NONE;
        this.settings = settings;
    }

    /** Returns whether a PSDT value is supported. Metadata is never in an SGL: SGLS bit 19 is 0. */
    boolean takes(int psdt) {
        return psdt == Sqe.PSDT_PRP || (psdt == Sqe.PSDT_SGL && takesSgls);
    }

    /** Finds the places of a command's data. Returns what {@link DataWalker#walk} returns. */
    int find(Command command) {
        DataWalker walker = command.psdt() == Sqe.PSDT_PRP ? prps : sgls;
        return walker.walk(command, settings.pageBytes());
    }
}
