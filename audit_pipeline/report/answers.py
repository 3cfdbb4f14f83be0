"""The human-centred answers of the policy, as questions a reader would ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NO_ANSWER = "not answered in the policy"

_QUESTIONS = (
    ("What is it for?", ("intended_use",)),
    ("Whom does it affect?", ("affected",)),
    ("Which error must not happen?", ("worst_error",)),
    ("Who answers for a missed alarm?", ("responsible", "missed_alarm")),
    ("Who answers for a false alarm?", ("responsible", "false_alarm")),
    ("Who can stop it?", ("oversight", "who_can_stop")),
    ("How can a decision be appealed?", ("oversight", "how_to_appeal")),
    ("What must never be recorded?", ("never_record",)),
    ("Who wrote the policy?", ("author",)),
)
_ERRORS = {
    "missed": "A missed {}",
    "false": "A false {}",
    "too_high": "An estimate that is too high",
    "too_low": "An estimate that is too low",
}
_KEY_DIGITS = 16

Answer = tuple[str, tuple[str, ...]]
"""A question with its answers."""


def answers(document: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Each question with its answers, in the order they are asked.

    Args:
        document: the policy as evidence holds it. A later or an older policy may lack a key; that is said, not hidden.
    """
    section = document.get("human_centred", {})
    asked = tuple((question, _texts(_at(section, path))) for question, path in _QUESTIONS)
    return (*asked, ("Who must approve a release?", _approvals(document.get("approvals"))))


def who_answers(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Either error, and who answers for it."""
    responsible = document.get("human_centred", {}).get("responsible", {})
    return tuple((error, _texts(responsible.get(key))[0]) for error, key in _RESPONSIBLE)


_RESPONSIBLE = (("missed alarm", "missed_alarm"), ("false alarm", "false_alarm"))


def question_of(path: tuple[str, ...]) -> str | None:
    """The question that an answer at this place of the section, or within it, answers; None where none does."""
    return next((question for question, place in _QUESTIONS if path[: len(place)] == place), None)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return (_author(value) if "role" in value else _error(value),)
    if isinstance(value, list | tuple):
        return tuple(map(str, value)) or (_NO_ANSWER,)
    return (str(value),) if value else (_NO_ANSWER,)


def _error(value: Mapping[str, Any]) -> str:
    error = _ERRORS.get(str(value.get("kind")), "An error on {}").format(value.get("class") or "alarm")
    return f"{error}. It harms {value.get('harms', _NO_ANSWER)}"


def _author(value: Mapping[str, Any]) -> str:
    key = value.get("key")
    return f"{value['role']}, key {str(key)[:_KEY_DIGITS]}…" if key else str(value["role"])


def _approvals(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Mapping) or not value:
        return ("nobody: the policy asks for no approval",)
    return tuple(f"{role}: {number}" for role, number in sorted(value.items()))
