package dev.peerlane.cli.doctor;

import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Finding;
import dev.peerlane.pci.Bdf;
import dev.peerlane.probe.Probe;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code doctor}. */
public record DoctorDocument(
        String schema,
        String result,
        int exitStatus,
        String origin,
        @Nullable String source,
        @Nullable String target,
        @Nullable String buffer,
        List<RouteLeg> legs,
        List<Symptom> findings,
        List<String> otherBuffers,
        List<Probe.Result> probes,
        @Nullable OtherWay otherWay) {
    private static final String SCHEMA = "peerlane.doctor/1";

    /** The answer for the copy in the other direction. */
    record OtherWay(String result, @Nullable String buffer, List<String> codes) {
        static OtherWay of(Diagnosis d) {
            return new OtherWay(
                    d.isGo() ? "go" : "no-go",
                    DoctorDocument.text(d.owner()),
                    d.findings().stream()
                            .filter(f -> f.severity().blocks())
                            .map(Finding::code)
                            .distinct()
                            .toList());
        }
    }

    /** One leg. */
    record RouteLeg(
            String initiator,
            String owner,
            String direction,
            String verdict,
            boolean allowed,
            boolean kernelAllows,
            int hops,
            long bytesPerSecond,
            String reason) {}

    /** One finding. */
    record Symptom(
            String code,
            String severity,
            String subject,
            String title,
            List<String> read,
            String detail,
            String meaning,
            String cure,
            List<String> fix,
            String back,
            List<String> undo) {}

    public static DoctorDocument of(Examination.Outcome answer) {
        Diagnosis d = answer.diagnosis();
        Diagnosis back = answer.otherWay();
        return new DoctorDocument(
                SCHEMA,
                answer.isGo() ? "go" : "no-go",
                answer.status(),
                answer.snapshot().origin(),
                text(d.source()),
                text(d.target()),
                text(d.owner()),
                d.legs().stream().map(DoctorDocument::way).toList(),
                d.findings().stream().map(DoctorDocument::found).toList(),
                d.rejected(),
                answer.probes(),
                back == null ? null : OtherWay.of(back));
    }

    private static Symptom found(Finding f) {
        return new Symptom(
                f.code(),
                f.severity().name().toLowerCase(Locale.ROOT),
                f.subject(),
                f.check().title(),
                f.read(),
                f.detail(),
                f.check().meaning(),
                Cures.cure(f.check()),
                Cures.lines(f.fix()),
                Cures.undo(f.check()),
                Cures.lines(f.undo()));
    }

    private static RouteLeg way(Diagnosis.Leg leg) {
        var r = leg.route();
        return new RouteLeg(
                r.initiator().toString(),
                r.owner().toString(),
                leg.direction().word(),
                r.verdict(leg.direction()).name().toLowerCase(Locale.ROOT).replace('_', '-'),
                leg.allowed(),
                r.kernelAllows(),
                r.hops(),
                r.bytesPerSecond(),
                r.reason());
    }

    private static @Nullable String text(@Nullable Bdf bdf) {
        return bdf == null ? null : bdf.toString();
    }
}
