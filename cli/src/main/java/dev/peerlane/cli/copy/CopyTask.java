package dev.peerlane.cli.copy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.PeerlaneException;
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
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.Controller;
import dev.peerlane.pci.Bdf;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The flow shared by {@code copy} and {@code cmb-copy}: confirm, copy, report. */
final class CopyTask implements CopyRun.Guard {
    /** Whether to carry out the plan. */
    enum Mode {
        COPY,
        DRY_RUN
    }

    private final Context context;
    private final Terminal terminal;
    private final FabricOption fabric;
    private final WriteOptions write;
    private final Mode mode;
    private final CopyRun copy;
    private List<Bdf> restorable = List.of();
    private CopyRun.@Nullable Wish wish;
    private @Nullable Receipt receipt;

    CopyTask(Context context, FabricOption fabric, WriteOptions write, Mode mode) {
        this.context = context;
        this.terminal = context.terminal();
        this.fabric = fabric;
        this.write = write;
        this.mode = mode;
        copy = new CopyRun(context, this);
    }

    /** Runs the command and returns the exit status. */
    int run(Supplier<CopyRun.Wish> parsed) {
        PeerlaneException failure = null;
        PeerlaneException restored;
        try {
            CopyRun.Wish asked = parsed.get();
            wish = asked;
            if (write.restoreDrivers) {
                restorable = asked.devices().stream().distinct().map(Opening::function).toList();
            }
            receipt = copy.run(fabric.file(), asked);
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
        copy.warnings().forEach(this::warn);
        context.interruption().leaves(Interruption.NOTHING_LEFT);
        tell(failure);
        return ExitStatus.of(failure);
    }

    @Override
    public boolean permits(CopyPlan made) {
        made.announcements().forEach(line -> terminal.say("Note: " + line + "."));
        if (mode == Mode.DRY_RUN) {
            return false;
        }
        if (!write.yes) {
            confirm(made);
        }
        if (context.verbose()) {
            made.reasons().forEach(terminal::say);
            terminal.say("Copying through " + made.kind().label() + ".");
        }
        context.interruption().leaves(left(made));
        return true;
    }

    /**
     * Returns the devices to their drivers. Called after the session, which holds the devices, is
     * closed.
     */
    private @Nullable PeerlaneException restoreDrivers() {
        if (restorable.isEmpty() || mode == Mode.DRY_RUN) {
            return null;
        }
        return Binding.giveBack(context, restorable);
    }

    @Override
    public void checkTarget(Controller target) {
        String expected = write.expectSerial;
        String serial = target.identity().sn();
        if (expected != null && !expected.strip().equals(serial)) {
            throw PeerlaneException.refused(
                    "serial-differs",
                    "%s has serial '%s', not '%s'".formatted(target.locator(), serial, expected),
                    "Nothing was written. Name the right target, or its serial number");
        }
    }

    private void confirm(CopyPlan made) {
        Receipt.Side side = Sides.target(made.request());
        String what =
                "This overwrites %s of %s (%s, serial %s): %s of %d bytes."
                        .formatted(
                                Sizes.text(made.request().bytes()),
                                CopyWords.name(side),
                                side.model(),
                                side.serial(),
                                CopyWords.blocks(side),
                                side.blockBytes());
        Confirmation.ask(context, what);
    }

    private static String left(CopyPlan made) {
        Receipt.Side side = Sides.target(made.request());
        BufferCandidate carrier = made.buffer();
        return "how much of %s of %s was written is not known, %s and no device was shut down"
                .formatted(
                        CopyWords.blocks(side),
                        CopyWords.name(side),
                        carrier == null
                                ? ""
                                : "the CMB of " + carrier.locator() + " still holds data of it,");
    }

    private void warn(String problem) {
        terminal.say("Warning: " + problem + ".");
    }

    private void tell(@Nullable PeerlaneException failure) {
        Receipt made = receipt;
        PlanDocument planned = copy.plan();
        if (fabric.json()) {
            Json.print(terminal.out(), document(failure));
        } else if (made != null) {
            ReceiptView.print(terminal.out(), made);
        } else if (failure == null) {
            PlanView.print(terminal.out(), Objects.requireNonNull(planned));
        }
        if (made != null && terminal.out().checkError()) {
            // report what was done even if the receipt is lost
            terminal.say("peerlane: " + ReceiptView.summary(made));
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
            PlanDocument planned = copy.plan();
            if (failure == null) {
                return Objects.requireNonNull(planned);
            }
            CopyRun.Wish w = wish;
            return ReceiptDocument.refusal(
                    w == null ? null : w.source(), w == null ? null : w.target(), planned, failure);
        }
        ObjectNode tree = ReceiptDocument.of(made, failure);
        if (failure != null && made.error() == null) {
            // The copy succeeded, but a later step failed.
            tree.put("result", "failed");
            tree.set("error", Json.tree(ErrorDocument.failure(failure)));
        }
        return tree;
    }
}
