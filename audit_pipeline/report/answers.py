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
)

_ERRORS = {
    "missed": "A missed {}",
    "false": "A false {}",
    "too_high": "An estimate that is too high",
    "too_low": "An estimate that is too low",
}


def answers(document: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each question with its answers, in the order they are asked.

    Args:
        document: the policy as evidence holds it. A later or an older policy may lack a key; that is said, not hidden.
    """
    section = document.get("human_centred", {})
    return tuple((question, _texts(_at(section, path))) for question, path in _QUESTIONS)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        error = _ERRORS.get(str(value.get("kind")), "An error on {}").format(value.get("class") or "alarm")
        return (f"{error}. It harms {value.get('harms', _NO_ANSWER)}",)
    if isinstance(value, list | tuple):
        return tuple(map(str, value)) or (_NO_ANSWER,)
    return (str(value),) if value else (_NO_ANSWER,)
