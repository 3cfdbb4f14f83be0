"""What an entry says, whole, as labelled lines: for those who read what was decided on one run.

Nothing of a body is left out but what its own lines repeat: a key that this version does not know is shown under its
own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]

LABELS: Mapping[str, str] = {
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
    "changed.run": "changed since run",
    "changed.outcome": "which had ended in",
    "changed.sha256": "whose policy was",
    "changed.edits": "what was changed",
    "retention_until": "kept until",
    "lawful_basis": "lawful basis",
    "answers": "answers for it",
    "signer": "signed by",
    "sha256": "SHA-256",
}
"""How people call what stands at a place in a body; elsewhere the place's own words."""

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
    match value:
        case None | []:
            return
        case {"effect": str(effect), "path": str(path)}:
            groups = f" ({_scalar(value['groups'])})" if value.get("groups") else ""
            yield place, f"{effect}: {path}{groups}, {_scalar(value.get('before'))} → {_scalar(value.get('after'))}"
        case {"technique": str(technique)}:
            yield from _step(place, technique, value)
        case {"label": str(label), "reason": str(reason), "number": int(number)}:
            yield place, f"{number}. {label}: {reason}"
        case Mapping():
            for key, item in value.items():
                if key not in _OMITTED:
                    yield from _lines(f"{place}.{key}" if place else key, item)
        case [*items] if all(not isinstance(item, list | Mapping) for item in items):
            yield place, "; ".join(map(str, items))
        case [*items]:
            for item in items:
                yield from _lines(place, item)
        case _:
            yield place, _scalar(value)


def _step(place: str, technique: str, step: Body) -> Iterator[tuple[str, str]]:
    settings = step.get("settings")
    told = [f"{key} {_scalar(item)}" for key, item in settings.items() if item is not None] if settings else []
    yield place, f"{technique}: {', '.join(told)}" if told else technique
    for note in step.get("notes") or ():
        yield place, f"  {note}"


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case [*items]:
            return ", ".join(map(_scalar, items))
    return str(value)


def _label(place: str) -> str:
    return LABELS.get(place, place.replace("_", " "))
