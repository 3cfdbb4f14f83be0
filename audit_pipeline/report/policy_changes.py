"""How the policy was changed before a run, in words: above all what was loosened, and after what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit_pipeline.measurement import MetricKey
from audit_pipeline.policy_part import PolicyChange, PolicyEdit, PolicyPart
from audit_pipeline.report.answers import question_of
from audit_pipeline.report.wording import NAME_CELLS, brief, count, limit

_FAIRNESS = re.compile(r"fairness\.([a-z0-9_]+)(?:\[(.*)\])?\.(min|max|max_drop|max_rise|max_gap)", re.DOTALL)
_PRIVACY = re.compile(
    r"privacy\.(?P<attack>membership|disparity|attribute|canaries)(?:\[(?P<column>(?!fpr )[^\]]*)\])?"
    r"(?P<shadows>\.shadows)?(?P<people>\.people)?(?:\.beside\[(?P<beside>[^\]]*)\])?"
    r"(?:\[fpr (?P<fpr>.*)\])?\.(?P<key>max_tpr|max_gap|max_gain|max_epsilon|fpr)",
    re.DOTALL,
)
_LIMITS = {
    "min": "least {}",
    "max": "most {}",
    "max_drop": "largest drop of {}",
    "max_rise": "largest rise of {}",
    "max_gap": "largest gap in {} between groups",
}
_OTHERS = {
    "privacy.shadows": "models that the attacker trains",
    "privacy.training": "how the attacker's models are trained",
    "privacy.most_rows": "rows that are attacked, at most",
    "privacy.seed": "seed of the attack",
    "privacy.blob_scan.max_hits": "finds allowed in the model's bytes",
    "statistics.confidence": "confidence of every interval",
    "statistics.min_group_size": "least rows behind a number",
    "statistics.min_people": "least people behind a number",
    "target.board": "board",
    "target.flash_kib": "flash of the device, KiB",
    "target.ram_kib": "RAM of the device, KiB",
    "data.lawful_basis_required": "whether a lawful basis is asked for",
    "rules": "rules, of which the trail then held the digest alone",
}
_APPROVALS, _ANSWERS = "approvals.", "human_centred."
_VALUE_CELLS = 120
_MOST_GROUPS = 8


@dataclass(frozen=True)
class EditLine:
    """One edit, ready to be shown."""

    what: str
    groups: str
    """Of the rule; empty outside of the rules."""
    before: str
    after: str
    effect: str

    @property
    def sentence(self) -> str:
        """The edit in one line: `largest drop of recall of V, in overall, sex: 0.02 → 0.05`."""
        return f"{self.what}{f', in {self.groups}' if self.groups else ''}: {self.before} → {self.after}"


@dataclass(frozen=True)
class ChangeOfPolicy:
    """The policy's change from one run to another."""

    title: str
    """`After run a ended in FAIL`, and of an earlier run which that was."""
    lines: tuple[EditLine, ...]
    warning: str | None
    """That limits were loosened, and after what; None where none was."""

    @property
    def loosened(self) -> tuple[EditLine, ...]:
        """What was loosened."""
        return tuple(line for line in self.lines if line.effect == "loosened")


def changes_of_policy(policy: PolicyPart) -> tuple[ChangeOfPolicy, ...]:
    """The run's own change first, then those that earlier runs made since the last sealed one."""
    own = [_change(policy.changed, policy.name, by=None)] if policy.changed else []
    return (*own, *(_change(made.change, policy.name, by=made.run) for made in policy.changed_before))


def edit_lines(edits: Sequence[PolicyEdit]) -> tuple[EditLine, ...]:
    """Edits, ready to be shown."""
    return tuple(map(_line, edits))


def _change(change: PolicyChange, name: str, by: str | None) -> ChangeOfPolicy:
    of = "" if change.name == name else f", by policy {brief(change.name, NAME_CELLS)},"
    ended = f"run {brief(change.run, NAME_CELLS)}{of} {_ENDINGS[change.outcome]}"
    where = f", for run {brief(by, NAME_CELLS)}" if by else ""
    return ChangeOfPolicy(
        title=f"After {ended}{where}",
        lines=edit_lines(change.edits),
        warning=f"The policy was loosened after {ended}{where}" if change.loosened else None,
    )


_ENDINGS = {
    "FAIL": "ended in FAIL",
    "INCONCLUSIVE": "ended in INCONCLUSIVE",
    "PASS": "ended in PASS",
    "aborted": "broke off",
    None: "had begun",
}


def _line(edit: PolicyEdit) -> EditLine:
    groups = [brief(group.replace("*", " × "), NAME_CELLS) for group in edit.groups[:_MOST_GROUPS]]
    if hidden := len(edit.groups) - len(groups):
        groups.append(f"{count(hidden)} more")
    return EditLine(
        what=_what(edit.path),
        groups=", ".join(groups),
        before="not asked" if edit.before is None else _value(edit.before),
        after="asked no more" if edit.after is None else _value(edit.after),
        effect=edit.effect,
    )


def _what(path: str) -> str:
    if rule := _FAIRNESS.fullmatch(path):
        metric, class_, kind = rule.groups()
        label = MetricKey(name=metric, class_=class_, higher_is_better=True).label
        return _LIMITS[kind].format(brief(label, NAME_CELLS))
    if rule := _PRIVACY.fullmatch(path):
        return _of_privacy(rule)
    if path.startswith(_APPROVALS):
        return f"approvals by {brief(path.removeprefix(_APPROVALS), NAME_CELLS)}"
    if path.startswith(_ANSWERS):
        keys = tuple(path.removeprefix(_ANSWERS).split("."))
        return question_of(keys) or brief(path, NAME_CELLS)
    return _OTHERS.get(path) or brief(path.replace(".", ": ", 1), NAME_CELLS)


def _of_privacy(rule: re.Match[str]) -> str:
    who = "people" if rule["people"] else "members"
    what = {
        "max_tpr": f"most {who} recognised",
        "max_gap": "largest gap in exposure between groups",
        "max_gain": f"most that {brief(rule['column'] or '', NAME_CELLS)} may be guessed better by the model's outputs",
        "max_epsilon": "largest epsilon that planted rows may prove",
        "fpr": f"false-positive rate at which {who} may be recognised",
    }[rule["key"]]
    if rule["attack"] == "disparity" and rule["key"] == "fpr":
        what = "false-positive rate at which groups are compared"
    how = " with shadow models" if rule["shadows"] else ""
    held = {None: "", "float": " beside the float model"}.get(rule["beside"], " beside another release")
    return what + how + held + (f" at a false-positive rate of {brief(rule['fpr'], 20)}" if rule["fpr"] else "")


def _value(value: Any) -> str:
    return brief("; ".join(_words(value)), _VALUE_CELLS)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{key} {word}" for key, inner in sorted(value.items()) for word in _words(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield limit(value)
    else:
        yield str(value)
