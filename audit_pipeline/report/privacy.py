"""What the report says of the training people: every attack that was made, on whom, and how far it got."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Measured
from audit_pipeline.privacy_part import AttributePart, BlobScan, CanariesPart, MembershipPart, MitigationPart
from audit_pipeline.report.privacy_shadows import SIGNALS, shadow_sections
from audit_pipeline.report.sections import Cell, Section, Table
from audit_pipeline.report.summary import methods, methods_of_attacks
from audit_pipeline.report.wording import count, level, limit

WEAK = "Membership (weak attacker: losses only)"


def privacy_sections(evidence: Evidence) -> tuple[Section, ...]:
    """Everything under the heading Privacy, the weakest attack first."""
    found = evidence.privacy
    weak = [part for part in evidence.membership if part.strength == "weak"]
    sections = [_weak(weak)] if weak or not evidence.membership else []
    sections += shadow_sections(evidence)
    if found is not None:
        sections += [*_attributes(found.attributes), *_canaries(found.canaries, evidence)]
        if found.reasons:
            sections.append(Section("What could not be tried, and what was left out", listed=found.reasons))
    sections += [_mitigation(part, evidence) for part in evidence.mitigations]
    return (*sections, _blob(evidence.blob_scan))


def _weak(parts: Sequence[MembershipPart]) -> Section:
    if not parts:
        return Section(WEAK, ("No membership attack was run.",))
    said = (
        "The attacker sees how well the model does on a person's row and guesses from that alone whether the row was "
        "trained on. Stronger attacks exist: a high number here is a leak, a low one is no proof that there is none."
    )
    caption = (
        "Share of training rows recognised (true positives) where the threshold allows the given share of false ones."
    )
    used = methods_of_attacks(parts)
    head = ("Group", "Model", "Threshold", "Recognised", "False alarms allowed", "False alarms seen", "AUC", "Rows")
    rows = tuple(
        (
            part.group,
            part.model,
            "one a class" if part.attack == "losses_by_class" else "one",
            part.tpr,
            limit(part.fpr_target),
            part.fpr,
            "–" if part.auc is None else f"{part.auc:.3f}",
            count(part.tpr.rows),
        )
        for part in parts
    )
    caption += f" Intervals: {used}." if used else ""
    return Section(WEAK, (said,), Table(caption, head, rows, frozenset(range(3, 8)), note="weak attacker: losses only"))


def _attributes(parts: Sequence[AttributePart]) -> Iterator[Section]:
    if not parts:
        return
    said = (
        "Can somebody who knows a person's true class and other columns guess one more column from what the model "
        "says? What is gained on people it was trained on and not on others is a leak of the training; what is gained "
        "on both is something that the model tells of anybody."
    )
    used = "; ".join(methods(part.gain.interval for part in parts if isinstance(part.gain, Measured)))
    caption = "Balanced accuracy of the guess." + (f" Intervals: {used}." if used else "")
    head = ("Column", "Model", "People", "Without the model", "With its outputs", "Gain")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (part.column, part.model, part.people, part.without, part.with_model, part.gain) for part in parts
    )
    yield Section("Attribute inference", (said,), Table(caption, head, rows, frozenset((3, 4, 5)), frozenset((5,))))


def _canaries(parts: Sequence[CanariesPart], evidence: Evidence) -> Iterator[Section]:
    if not parts:
        return
    said = [
        "Rows with wrong labels were planted in the training data, each by a fair coin. From the model alone it was "
        "guessed which were: the better the guess, the larger the least epsilon that the training can have had "
        "(Steinke et al. 2023). This is empirical leakage, not a guarantee: a stronger attack may show more."
    ]
    claim = evidence.data.differential_privacy
    if claim is not None:
        said.append(
            f"The manifest claims differential privacy with ε = {limit(claim.epsilon)} and δ = {limit(claim.delta)} "
            f"for {claim.unit}."
        )
    head = ("Model", "Reads", "Canaries", "Guesses", "Right", "ε is at least", "Could have shown")
    rows = tuple(
        (
            part.model,
            SIGNALS[part.signal],
            count(part.canaries),
            count(part.guesses),
            count(part.correct),
            f"{part.epsilon:.3f}",
            f"{part.ceiling:.3f}",
        )
        for part in parts
    )
    caption = f"Lower bounds at {level(parts[0].level)}, δ = {limit(parts[0].delta)}."
    yield Section("Canaries", tuple(said), Table(caption, head, rows, frozenset(range(2, 7))))


def _mitigation(part: MitigationPart, evidence: Evidence) -> Section:
    title = f"What {part.technique} costs every group"
    if part.reason is not None:
        return Section(title, (f"This was not measured: {part.reason}",))
    ruled = {(rule.get("metric"), rule.get("class")) for rule in evidence.policy.document.get("fairness", ())}
    rows = tuple(
        (row.group, each.metric.label, each.before, each.after, each.worsening)
        for row in part.groups
        for each in row.metrics
        if each.metric.name == "accuracy" or (each.metric.name, each.metric.class_) in ruled
    )
    caption = "The device's model without this step and with it, on the same rows; positive means that the step costs."
    head = ("Group", "Metric", "Without", "With", "Cost")
    return Section(title, (), Table(caption, head, rows, frozenset((2, 3, 4)), frozenset((4,))))


def _blob(scan: BlobScan | None) -> Section:
    title = "Search of the model's bytes"
    if scan is None:
        return Section(title, ("The model's bytes were not searched.",))
    encodings = f" ({', '.join(scan.encodings)})" if scan.encodings else ""
    found = f"{count(len(scan.hits), 'hit')}:" if scan.hits else "Nothing was found."
    said = (
        f"{count(scan.scanned_bytes)} bytes were searched for {count(scan.training_rows, 'training row')}{encodings}, "
        f"paths, host names, e-mail addresses and secrets. {found}"
    )
    listed = tuple(f"{hit.kind} in {hit.where} at byte {count(hit.offset)}: {hit.detail}" for hit in scan.hits)
    return Section(title, (said,), listed=listed)
