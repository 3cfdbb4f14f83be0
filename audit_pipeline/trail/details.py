"""What an entry says, whole, as labelled lines: for those who read what was decided on one run.

Nothing of a body is left out but what its own lines repeat: a key that this version does not know is shown under its
own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]

LOOSENED = "loosened: "
"""How a line begins that says that more may pass than before."""

_RECIPE = "rules.compress.recipe"

LABELS: Mapping[str, str] = {
    "changed.run": "changed since run",
    "changed.outcome": "which had ended in",
    "changed.sha256": "whose policy was",
    "changed.edits": "what was changed",
    "human_centred.author.role": "written by",
    "human_centred.author.key": "author's key",
    "human_centred.intended_use": "intended use",
    "human_centred.affected": "who is affected",
    "human_centred.worst_error.class": "worst error: class",
    "human_centred.worst_error.kind": "worst error: kind",
    "human_centred.worst_error.harms": "worst error: harms",
    "human_centred.responsible.false_alarm": "answers for a false alarm",
    "human_centred.responsible.missed_alarm": "answers for a missed alarm",
    "human_centred.oversight.who_can_stop": "who can stop it",
    "human_centred.oversight.how_to_appeal": "how to appeal",
    "human_centred.never_record": "must never be recorded",
    "rules.fairness": "fairness rule",
    "rules.privacy": "privacy rule",
    "rules.privacy.rules": "privacy rule",
    "rules.privacy.training": "attacker's models trained by",
    "rules.privacy.shadows": "attacker's models",
    "rules.privacy.most_rows": "rows attacked at most",
    "rules.privacy.seed": "seed of the attack",
    "rules.approvals": "approvals demanded",
    "rules.on_inconclusive": "where inconclusive",
    _RECIPE: "recipe",
    "rules.compress.seed": "seed",
    "retention_until": "kept until",
    "lawful_basis": "lawful basis",
    "answers": "answers for it",
    "signer": "signed by",
    "sha256": "SHA-256",
}
"""How people call what stands at a place in a body; elsewhere the place's own words."""

_TOGETHER = ("counts", "rules.approvals", "rules.statistics", "rules.target", "rules.privacy.training", "device")
"""Places whose keys and values are read together."""

_OMITTED = ("envelope",)
"""The signed form of what stands beside it, for tools: `audit log show INDEX --json` has it."""


@dataclass(frozen=True)
class Detail:
    """One labelled line."""

    label: str
    text: str


def details(body: Body) -> tuple[Detail, ...]:
    """A body as labelled lines, in the order of its keys; the people's answers in the order in which they are asked."""
    lines = [Detail(_label(place), text) for place, text in _lines("", body)]
    order = list(LABELS.values())
    known = [line for line in lines if line.label in order]
    others = [line for line in lines if line.label not in order]
    return (*sorted(known, key=lambda line: order.index(line.label)), *others)


def _lines(place: str, value: Any) -> Iterator[tuple[str, str]]:
    told = _in_one_line(place, value)
    match value:
        case _ if told is not None:
            yield place, told
        case {"technique": str(technique), "settings": dict(settings), "notes": [*notes]}:
            yield place, f"{technique}: {_pairs(settings)}" if settings else technique
            yield from ((place, f"  {_scalar(note)}") for note in notes)
        case Mapping():
            for key, item in value.items():
                if key not in _OMITTED:
                    yield from _lines(f"{place}.{key}" if place else key, item)
        case [*items]:
            for item in items:
                yield from _lines(place, item)
        case None:
            return
        case _:
            yield place, _scalar(value)


def _in_one_line(place: str, value: Any) -> str | None:
    """What is read together, as one text; None for anything else."""
    match value:
        case {"effect": str(effect), "path": str(path)}:
            groups = f" ({_scalar(value['groups'])})" if value.get("groups") else ""
            return f"{effect}: {path}{groups}, {_scalar(value.get('before'))} → {_scalar(value.get('after'))}"
        case {"metric": str(asked)} | {"attack": str(asked)}:
            return _rule(asked, value)
        case {"label": str(label), "reason": str(reason), "number": int(number)}:
            return f"{number}. {label}: {reason}"
        case Mapping() if place in _TOGETHER:
            return _pairs(value)
        case Mapping() if place == _RECIPE:
            return "; ".join(f"{technique}: {_scalar(settings)}" for technique, settings in value.items())
        case [_, *_] if all(not isinstance(item, list | Mapping) for item in value):
            return ("; " if any(isinstance(item, str) for item in value) else ", ").join(map(_scalar, value))
    return None


def _rule(asked: str, rule: Body) -> str:
    """A rule of a policy: what is measured, its limits, and the groups it must hold in."""
    of = f" of {rule['class']}" if rule.get("class") is not None else ""
    groups = f" for {_scalar(rule['groups'])}" if rule.get("groups") else ""
    limits = _pairs({key: rule[key] for key in rule if key not in ("metric", "attack", "class", "groups")})
    return f"{asked}{of}{groups}: {limits}"


def _pairs(values: Body) -> str:
    return ", ".join(f"{key} {_scalar(value)}" for key, value in values.items() if value is not None)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case [*items]:
            return ", ".join(map(_scalar, items))
        case Mapping():
            return _pairs(value)
    return str(value)


def _label(place: str) -> str:
    return LABELS.get(place, place.replace("_", " "))
