package dev.peerlane.cli.copy;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.terminal.ProgressDisplay;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.nvme.Controller;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Plans a copy, and runs it if the guard permits. */
final class CopyRun {
    /**
     * A request for a copy.
     *
     * @param source the blocks to read
     * @param target the blocks to write
     * @param how the options
     */
    record Wish(Extent source, Extent target, CopyOptions how) {
        /** Returns the devices that take part. */
        List<String> devices() {
            List<String> devices = new ArrayList<>(List.of(source.device(), target.device()));
            String carrier = how.buffer().locator();
            if (carrier != null) {
                devices.add(carrier);
            }
            return devices;
        }
    }

    /** Decides before anything is written. */
    interface Guard {
        /** Throws if the target is not the expected one. */
        void checkTarget(Controller target);

        /** Returns whether to carry out a plan. Throws if it is refused. */
        boolean permits(CopyPlan plan);
    }

    private final Context context;
    private final Guard guard;
    private final List<Controller> used = new ArrayList<>();
    private List<DmaFault> faults = List.of();
    private @Nullable PlanDocument plan;

    CopyRun(Context context, Guard guard) {
        this.context = context;
        this.guard = guard;
    }

    /** Returns the plan, or null if planning did not finish. */
    @Nullable PlanDocument plan() {
        return plan;
    }

    /** Returns the warnings to print afterwards. */
    List<String> warnings() {
        List<String> warnings = new ArrayList<>(CopyWords.faults(faults));
        used.forEach(c -> c.closeProblem().ifPresent(warnings::add));
        return warnings;
    }

    /**
     * Plans and runs the copy.
     *
     * @return the receipt, or null if the guard did not permit the copy
     */
    @Nullable Receipt run(@Nullable Path fabric, Wish wish) {
        List<String> devices = wish.devices();
        try (Session session = Opening.session(context.system(), fabric, devices)) {
            for (String device : devices) {
                context.interruption().check();
                used.add(session.controller(device));
            }
            guard.checkTarget(session.controller(wish.target().device()));
            CopyPlan made = session.plan(wish.source(), wish.target(), wish.how());
            plan = PlanDocument.of(made);
            context.interruption().check();
            if (!guard.permits(made)) {
                return null;
            }
            try {
                return ProgressDisplay.during(
                        context.terminal(),
                        progress -> session.run(made, context.interruption().flag(), progress));
            } finally {
                faults = session.fabric().faults();
            }
        }
    }
}
