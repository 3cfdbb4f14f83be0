"""What an attacker with models of their own found out: rows, people, by group, before and after compression."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import GroupKey, Measured
from audit_pipeline.policy.privacy import rules_of
from audit_pipeline.privacy_part import DisparityPart, ExposureChange, MembershipPart, ShadowsPart
from audit_pipeline.report.sections import Cell, Section, Table
from audit_pipeline.report.summary import methods, methods_of_attacks
from audit_pipeline.report.wording import count, limit
from audit_pipeline.statistics.wording import p_is

ATTACKS = {
    "losses": "losses, one threshold",
    "losses_by_class": "losses, a threshold for each class",
    "lira_online": "LiRA, online",
    "lira_offline": "LiRA, offline",
    "rmia": "RMIA",
    "student_t": "Student-t",
    "student_t_shared": "Student-t, shared",
}
"""Attacks as the report and docs/privacy.md name them."""
SIGNALS = {"output": "outputs", "logits": "logits"}
"""What of a model is read, likewise."""
_MODELS = {"float": "float model", "device": "device", "both": "two versions"}
_HEAD = ("Group", "Model", "Attack", "Recognised", "Strangers allowed", "Strangers taken", "AUC", "Behind")
_NUMBERS = frozenset((3, 4, 5, 6))


def shadow_sections(evidence: Evidence) -> Iterator[Section]:
    """Every section that rests on shadow models; none where there were none."""
    parts = [part for part in evidence.membership if part.strength == "shadows"]
    kinds: dict[tuple[str, str], list[MembershipPart]] = defaultdict(list)
    for part in parts:
        kinds[part.unit, part.beside or ""].append(part)
    shadows = evidence.privacy.shadows if evidence.privacy else None
    asked = {rule["fpr"] for rule in rules_of(evidence.policy.document) if rule.get("attacker") == "shadows"}
    for number, ((unit, beside), found) in enumerate(kinds.items()):
        about = (_about(shadows),) if shadows is not None and number == 0 else ()
        yield _membership(unit, beside, found, about, asked)
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


def _membership(
    unit: str, beside: str, parts: Sequence[MembershipPart], about: tuple[str, ...], asked: Set[float]
) -> Section:
    title = f"Membership of {unit} (attacker with shadow models)"
    said = [*about]
    if beside:
        title = f"Membership of {unit}, with {beside} beside the device's model"
        said.append("The attacker holds two versions and puts together what both give away.")
    order = {group: place for place, group in enumerate(dict.fromkeys(part.group for part in parts))}
    lines = sorted(parts, key=lambda part: (order[part.group], part.fpr_target, part.model != "float"))
    strongest: dict[tuple[GroupKey, float, str], MembershipPart] = {}
    for part in lines:
        key = (part.group, part.fpr_target, part.model)
        if part.fpr_target not in asked:
            continue
        if key not in strongest or _strength(part) > _strength(strongest[key]):
            strongest[key] = part
    used = methods_of_attacks(parts)
    caption = "The attack that recognised most, for each group, model and share of strangers that may be mistaken."
    caption += f" Intervals: {used}." if used else ""
    return Section(
        title,
        tuple(said),
        Table(caption, _HEAD, tuple(map(_line, strongest.values())), _NUMBERS),
        more=Table(
            "All attacks, also at a share that so few strangers can certify.",
            _HEAD,
            tuple(map(_line, lines)),
            _NUMBERS,
        ),
    )


def _strength(part: MembershipPart) -> tuple[float, float]:
    recognised = part.tpr.estimate if isinstance(part.tpr, Measured) else -math.inf
    return recognised, part.auc or 0.0


def _attack(part: MembershipPart | ExposureChange) -> str:
    return f"{ATTACKS[part.attack]}; {SIGNALS[part.signal]}"


def _line(part: MembershipPart) -> tuple[Cell, ...]:
    subjects = "" if part.tpr.subjects is None or part.unit == "people" else f" of {count(part.tpr.subjects, 'person')}"
    return (
        part.group,
        part.model,
        _attack(part),
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
        f"Share of the {parts[0].unit} recognised on float model and device, the same on both; positive: compression "
        "exposes more."
    )
    head = ("Group", "Attack", "Strangers allowed", "Float", "Device", "Change")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            part.group,
            _attack(part),
            limit(part.fpr_target),
            part.before,
            part.after,
            part.change,
        )
        for part in parts
    )
    caption += f" Intervals: {used}." if used else ""
    table = Table(caption, head, rows, frozenset((2, 3, 4, 5)), frozenset((5,)))
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
        said.append(f"That all are exposed alike: F = {part.f:.2f}, {p_is(part.p)}, over the shadows taken as targets.")
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
    read = f"{ATTACKS[part.attack]} on the {_MODELS[part.model]}'s {SIGNALS[part.signal]}"
    caption = f"{read}, {limit(part.fpr_target)} false alarms allowed."
    title = f"Whether {' × '.join(part.by)} groups are exposed alike ({part.model})"
    return Section(title, tuple(said), Table(caption, head, rows, frozenset((1, 2)), frozenset((1,))))
