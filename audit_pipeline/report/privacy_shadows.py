"""What an attacker with models of their own found out: rows, people, by group, before and after compression."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import GroupKey, Measured
from audit_pipeline.privacy_part import DisparityPart, ExposureChange, MembershipPart, ShadowsPart
from audit_pipeline.report.sections import Cell, Section, Table
from audit_pipeline.report.summary import methods, methods_of_attacks
from audit_pipeline.report.wording import count, limit
from audit_pipeline.statistics.wording import p_value

ATTACKS = {
    "losses": "losses, one threshold",
    "losses_by_class": "losses, a threshold for each class",
    "lira_online": "LiRA, online",
    "lira_offline": "LiRA, offline",
    "rmia": "RMIA",
    "student_t": "Student-t likelihood ratio",
    "student_t_shared": "Student-t, shared within people",
}
"""Attacks as the report names them."""
SIGNALS = {"output": "outputs", "logits": "logits"}
"""What of a model is read, likewise."""
_HEAD = (
    "Group",
    "Model",
    "Attack",
    "Reads",
    "Recognised",
    "False alarms allowed",
    "False alarms seen",
    "AUC",
    "Behind",
)
_NUMBERS = frozenset((4, 5, 6, 7))


def shadow_sections(evidence: Evidence) -> Iterator[Section]:
    """Every section that rests on shadow models; none where there were none."""
    parts = [part for part in evidence.membership if part.strength == "shadows"]
    kinds: dict[tuple[str, str], list[MembershipPart]] = defaultdict(list)
    for part in parts:
        kinds[part.unit, part.beside or ""].append(part)
    shadows = evidence.privacy.shadows if evidence.privacy else None
    for number, ((unit, beside), found) in enumerate(kinds.items()):
        about = (_about(shadows),) if shadows is not None and number == 0 else ()
        yield _membership(unit, beside, found, about)
    if evidence.privacy is not None:
        yield from _changes(evidence.privacy.changes)
        yield from (_disparity(part) for part in evidence.privacy.disparities)


def _about(shadows: ShadowsPart) -> str:
    people = "" if shadows.subjects is None else f" of {count(shadows.subjects, 'person')}"
    return (
        f"The attacker trained {count(shadows.count, 'shadow model')} of the same kind ({shadows.training}), each on a "
        f"random half of the {shadows.halves_of}, and compressed each as this model was. "
        f"{count(shadows.rows, 'row')}{people} were attacked, of which {count(shadows.members)} were trained on. Every "
        "threshold was fixed on the shadows, each taken as a target in turn, before this model was looked at."
    )


def _membership(unit: str, beside: str, parts: Sequence[MembershipPart], about: tuple[str, ...]) -> Section:
    title = f"Membership of {unit} (attacker with shadow models)"
    said = [*about]
    if beside:
        title = f"Membership of {unit}, with {beside} beside the device's model"
        said.append("The attacker holds two versions and puts together what both give away.")
    strongest: dict[tuple[GroupKey, str], MembershipPart] = {}
    for part in parts:
        key = (part.group, part.model)
        if key not in strongest or _strength(part) > _strength(strongest[key]):
            strongest[key] = part
    used = methods_of_attacks(parts)
    intervals = f" Intervals: {used}." if used else ""
    caption = f"The attack that recognised most, for each group and model.{intervals}"
    return Section(
        title,
        tuple(said),
        Table(caption, _HEAD, tuple(map(_line, strongest.values())), _NUMBERS),
        more=Table("All attacks.", _HEAD, tuple(map(_line, parts)), _NUMBERS),
    )


def _strength(part: MembershipPart) -> tuple[float, float]:
    recognised = part.tpr.estimate if isinstance(part.tpr, Measured) else -math.inf
    return recognised, part.auc or 0.0


def _line(part: MembershipPart) -> tuple[Cell, ...]:
    subjects = "" if part.tpr.subjects is None or part.unit == "people" else f" of {count(part.tpr.subjects, 'person')}"
    return (
        part.group,
        part.model,
        ATTACKS[part.attack],
        SIGNALS[part.signal],
        part.tpr,
        limit(part.fpr_target),
        part.fpr,
        None if part.auc is None else Measured(estimate=part.auc, interval=part.auc_interval, rows=part.tpr.rows),
        f"{count(part.tpr.rows, 'row' if part.unit == 'rows' else 'person')}{subjects}",
    )


def _changes(parts: Sequence[ExposureChange]) -> Iterator[Section]:
    if not parts:
        return
    used = "; ".join(methods(part.change.interval for part in parts if isinstance(part.change, Measured)))
    caption = (
        "Share recognised on the float model and on the device, on the same rows; positive: compression exposes more."
    )
    head = ("Group", "Attack", "Reads", "What is recognised", "False alarms allowed", "Float", "Device", "Change")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            part.group,
            ATTACKS[part.attack],
            SIGNALS[part.signal],
            part.unit,
            limit(part.fpr_target),
            part.before,
            part.after,
            part.change,
        )
        for part in parts
    )
    caption += f" Intervals: {used}." if used else ""
    table = Table(caption, head, rows, frozenset((4, 5, 6, 7)), frozenset((7,)))
    yield Section("What compression changed for the training people", (), table)


def _disparity(part: DisparityPart) -> Section:
    said = []
    if isinstance(part.gap, Measured):
        interval = part.gap.interval
        spread = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""
        said.append(f"Between the most and the least exposed group lie {part.gap.estimate:.3f}{spread}.")
    else:
        said.append(f"How far the groups are apart cannot be said: {part.gap.reason}.")
    if part.f is not None and part.p is not None:
        said.append(f"That all are exposed alike: F = {part.f:.2f}, p {_p(part.p)}, over the shadows taken as targets.")
    head = ("Group", "TPR − FPR on this model", "Mean over the shadows", "Behind")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.group,
            each.advantage,
            "–" if each.pseudo_targets is None else f"{each.pseudo_targets:.3f}",
            count(each.advantage.rows, "row"),
        )
        for each in part.groups
    )
    read = f"{ATTACKS[part.attack]} on the {part.model}'s {SIGNALS[part.signal]}"
    caption = f"{read}, {limit(part.fpr_target)} false alarms allowed."
    title = f"Whether {' × '.join(part.by)} groups are exposed alike ({part.model})"
    return Section(title, tuple(said), Table(caption, head, rows, frozenset((1, 2)), frozenset((1,))))


def _p(value: float) -> str:
    words = p_value(value)
    return words if words.startswith("<") else f"= {words}"
