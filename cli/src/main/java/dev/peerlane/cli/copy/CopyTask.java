package dev.peerlane.cli.copy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.binding.Binding;
import dev.peerlane.cli.shared.Confirmation;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Failures;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.shared.Remedies;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.ProgressDisplay;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.nvme.Controller;
import dev.peerlane.pci.Bdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What {@code copy} and {@code cmb-copy} do alike: open, plan, confirm, copy, tell. */
final class CopyTask {
    /**
     * What to copy.
     *
     * @param source where from
     * @param target where to
     * @param how how
     */
    record Request(Extent source, Extent target, CopyOptions how) {}

    private final Context context;
    private final Terminal terminal;
    private final FabricOption fabric;
    private final WriteOptions write;
    private final boolean dryRun;
    private final List<Controller> used = new ArrayList<>();
    private List<Bdf> restorable = List.of();
    private List<DmaFault> faults = List.of();

    private @Nullable Request request;
    private @Nullable PlanDocument plan;
    private @Nullable Receipt receipt;

    CopyTask(Context context, FabricOption fabric, WriteOptions write, boolean dryRun) {
        this.context = context;
        this.terminal = context.terminal();
        this.fabric = fabric;
        this.write = write;
        this.dryRun = dryRun;
    }

    /** Runs it and returns the exit status. */
    int run(Supplier<Request> parsed) {
        PeerlaneException failure = null;
        PeerlaneException restored;
        try {
            Request r = parsed.get();
            request = r;
            copy(r);
        } catch (CopyException e) {
            receipt = e.receipt();
            failure = e;
        } catch (PeerlaneException e) {
            failure = e;
        } finally {
            restored = restoreDrivers();
        }
        if (failure == null) {
            failure = restored;
        } else if (restored != null) {
            warn(Remedies.explain(restored));
        }
        CopyViews.faults(faults).forEach(this::warn);
        used.forEach(c -> c.closeProblem().ifPresent(this::warn));
        context.interruption().leaves(Interruption.NOTHING_LEFT);
        tell(failure);
        return ExitStatus.of(failure);
    }

    private void copy(Request r) {
        List<String> devices = new ArrayList<>(List.of(r.source().device(), r.target().device()));
        String carrier = r.how().buffer().locator();
        if (carrier != null) {
            devices.add(carrier);
        }
        if (write.restoreDrivers) {
            restorable = devices.stream().distinct().map(Opening::function).toList();
        }
        try (Session session = Opening.session(context.system(), fabric.file(), devices)) {
            for (String device : devices) {
                context.interruption().check();
                used.add(session.controller(device));
            }
            checkSerial(session.controller(r.target().device()));
            CopyPlan made = session.plan(r.source(), r.target(), r.how());
            plan = PlanDocument.of(made);
            context.interruption().check();
            made.announcements().forEach(line -> terminal.say("Note: " + line + "."));
            if (dryRun) {
                return;
            }
            confirm(made);
            if (context.verbose()) {
                made.reasons().forEach(terminal::say);
                terminal.say("Copying by " + made.kind().label() + ".");
            }
            context.interruption().leaves(left(made));
            try {
                receipt =
                        ProgressDisplay.during(
                                terminal,
                                progress ->
                                        session.run(made, context.interruption().flag(), progress));
            } finally {
                faults = session.fabric().faults();
            }
        }
    }

    /** After the session, which holds the devices. */
    private @Nullable PeerlaneException restoreDrivers() {
        if (restorable.isEmpty() || dryRun) {
            return null;
        }
        return Binding.giveBack(context, restorable);
    }

    private void checkSerial(Controller target) {
        String expected = write.expectSerial;
        String serial = target.identity().sn();
        if (expected != null && !expected.strip().equals(serial)) {
            throw PeerlaneException.refused(
                    "serial-differs",
                    "%s has serial '%s', not '%s'".formatted(target.locator(), serial, expected),
                    "Nothing was written: name the right target, or its serial");
        }
    }

    private void confirm(CopyPlan made) {
        Receipt.Side side = Sides.target(made.request());
        String what =
                "This overwrites %s of %s (%s, serial %s): %s of %d bytes."
                        .formatted(
                                Sizes.text(made.request().bytes()),
                                CopyViews.name(side),
                                side.model(),
                                side.serial(),
                                CopyViews.blocks(side),
                                side.blockBytes());
        Confirmation.ask(context, write.yes, what);
    }

    private static String left(CopyPlan made) {
        Receipt.Side side = Sides.target(made.request());
        BufferCandidate carrier = made.buffer();
        return "how much of %s of %s was written is not known, %s and no device was shut down"
                .formatted(
                        CopyViews.blocks(side),
                        CopyViews.name(side),
                        carrier == null
                                ? ""
                                : "the CMB of " + carrier.locator() + " still holds data of it,");
    }

    private void warn(String problem) {
        terminal.say("Warning: " + problem + ".");
    }

    private void tell(@Nullable PeerlaneException failure) {
        Receipt made = receipt;
        PlanDocument planned = plan;
        if (fabric.json()) {
            Json.print(terminal.out(), document(failure));
        } else if (made != null) {
            CopyViews.receipt(terminal.out(), made);
        } else if (failure == null) {
            CopyViews.plan(terminal.out(), Objects.requireNonNull(planned));
        }
        if (made != null && terminal.out().checkError()) {
            // what was done must be known, wherever the receipt was to go
            terminal.say("peerlane: " + CopyViews.summary(made));
        }
        if (made != null) {
            made.notes().stream()
                    .filter(n -> planned == null || !planned.notes().contains(n))
                    .forEach(this::warn);
        }
        if (failure != null) {
            Failures.say(context, failure);
        }
    }

    private Object document(@Nullable PeerlaneException failure) {
        Receipt made = receipt;
        if (made == null) {
            PlanDocument planned = plan;
            if (failure == null) {
                return Objects.requireNonNull(planned);
            }
            Request r = request;
            return ReceiptDocument.refusal(
                    r == null ? null : r.source(), r == null ? null : r.target(), planned, failure);
        }
        ObjectNode tree = ReceiptDocument.of(made, failure);
        if (failure != null && made.error() == null) {
            // The copy was right, but what followed was not.
            tree.put("result", "failed");
            tree.set("error", Json.tree(ErrorDocument.failure(failure)));
        }
        return tree;
    }
}
