"""A problem in a file, and the one error that reports all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from audit_pipeline.errors import InputError

Loc = tuple[str | int, ...]
"""Way from the root of a file to one of its values: keys and list positions."""

_SHOWN_CHARACTERS = 60

MOST_TOLD = 100
"""Problems that one error tells of; nobody reads more, and a hostile file has as many as it likes."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, at one place."""

    line: int
    """Counted from 1."""
    loc: Loc
    kind: str
    """Last part of the error's code, as in `policy.unknown-key`."""
    text: str


def refuse(file: str, stage: str, problems: Sequence[Problem], hint: str | None = None) -> NoReturn:
    """Raise one error for all problems, in the order of their lines.

    Args:
        file: the file as the user named it.
        stage: first part of the error's code; its second part is the first problem's kind.
        problems: at least one; of more than `MOST_TOLD` the rest is counted.
        hint: what to do next, where it is the same for all.

    Raises:
        InputError: always.
    """
    ordered = sorted(problems, key=lambda problem: problem.line)
    first, *others = ordered[:MOST_TOLD]
    lines = [_told(first), *(f"{file}:{other.line}: {_told(other)}" for other in others)]
    if len(ordered) > MOST_TOLD:
        lines.append(f"and {len(ordered) - MOST_TOLD} more problems")
    raise InputError(f"{stage}.{first.kind}", "\n".join(lines), where=f"{file}:{first.line}", hint=hint)


def _told(problem: Problem) -> str:
    return f"{dotted(problem.loc)}: {problem.text}" if problem.loc else problem.text


def dotted(loc: Loc) -> str:
    """A way through a file as people write it: `fairness[0].metric`."""
    words = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in loc)
    return "".join(words).removeprefix(".")


def _key(key: str) -> str:
    return key if key.isprintable() and len(key) <= _SHOWN_CHARACTERS else shown(key)


def shown(value: Any) -> str:
    """A value as a message may show it: as JSON, on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=not isinstance(value, str) or not value.isprintable())
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
