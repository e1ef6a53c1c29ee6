package dev.peerlane.emulator.controller;

import dev.peerlane.spec.Cap;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import org.jspecify.annotations.Nullable;

/** Checks whether the registers allow the host to set CC.EN (NVMe Base 2.0, 3.1.3.5, 3.5.1). */
final class EnableCheck {
    private EnableCheck() {}

    /** Returns what is wrong with the registers, or null. */
    static @Nullable String of(ControllerRegisters registers) {
        Cc cc = new Cc(registers.cc());
        Cap cap = registers.cap();
        Aqa aqa = new Aqa(registers.aqa());
        boolean pages = cc.mps() >= cap.mpsmin() && cc.mps() <= cap.mpsmax();
        boolean sets =
                switch (cc.css()) {
                    case Cc.CSS_NVM -> true;
                    case Cc.CSS_ALL -> (cap.css() & Cap.CSS_IOCS) != 0;
                    default -> false;
                };
        // zero is allowed until the first I/O queue is created
        boolean sizes =
                (cc.iosqes() == 0 || cc.iosqes() == Cc.IOSQES_NVM)
                        && (cc.iocqes() == 0 || cc.iocqes() == Cc.IOCQES_NVM);
        boolean queues = aqa.asqsZ() > 0 && aqa.acqsZ() > 0;
        if (!pages || !sets || !sizes || !queues || cc.ams() != 0) {
            return "enabled with CC %xh, AQA %xh".formatted(cc.raw(), aqa.raw());
        }
        long low = cc.pageBytes() - 1L;
        boolean aligned = ((registers.asq() | registers.acq()) & low) == 0;
        return aligned
                ? null
                : "enabled with ASQ %xh, ACQ %xh".formatted(registers.asq(), registers.acq());
    }
}
