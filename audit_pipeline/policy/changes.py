"""How a policy differs from an earlier one: what was loosened, what was tightened, what else was changed.

The gate draws a logged change again from the rules that the trail holds, and compares: a later version that tells an
edit otherwise must still tell those of runs that an older one logged as that did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audit_pipeline.policy.boards import BOARDS
from audit_pipeline.policy.rule_changes import effect, rule_edits
from audit_pipeline.policy_part import Effect, PolicyEdit

Document = Mapping[str, Any]

_SECTIONS = ("target", "compress", "fairness", "privacy", "statistics", "on_inconclusive", "approvals")
_EFFECTS: tuple[Effect, ...] = ("loosened", "tightened", "other")
_NEVER_RECORD = "human_centred.never_record"


def rules_of(document: Document) -> dict[str, Any]:
    """What a policy asks, as the trail keeps it: all but the people's answers and what names files and keys.

    Args:
        document: a whole policy as JSON values.
    """
    rules = {key: document[key] for key in _SECTIONS if key in document}
    demanded = {key: value for key, value in document.get("data", {}).items() if key != "manifest"}
    return {**rules, "data": demanded} if demanded else rules


def asked_by(document: Document) -> dict[str, Any]:
    """What two policies are compared by: the rules and the people's answers."""
    return {**rules_of(document), "human_centred": document["human_centred"]}


def policy_edits(before: Document, after: Document) -> tuple[PolicyEdit, ...]:
    """What the second policy says otherwise than the first; what was loosened stands first.

    Args:
        before: what `asked_by` gives of the earlier policy.
        after: the same of the later one.
    """
    found = [
        *rule_edits(before, after),
        *_of_attacker(before.get("privacy"), after.get("privacy")),
        *_of_statistics(before.get("statistics", {}), after.get("statistics", {})),
        *_of_approvals(before.get("approvals", {}), after.get("approvals", {})),
        *_of_target(before.get("target", {}), after.get("target", {})),
        *_of_demands(before.get("data", {}), after.get("data", {})),
        *_of_answers(before.get("human_centred", {}), after.get("human_centred", {})),
        *(edit for key in ("on_inconclusive", "compress") for edit in _leaves(key, before.get(key), after.get(key))),
    ]
    return tuple(sorted(found, key=lambda edit: _EFFECTS.index(edit.effect)))


def _of_attacker(before: Any, after: Any) -> Iterator[PolicyEdit]:
    """How the attacker's models are trained, where a policy says it; fewer of them make a weaker attacker."""
    one, other = (
        {key: value for key, value in section.items() if key != "rules"} if isinstance(section, Mapping) else {}
        for section in (before, after)
    )
    yield from _number("privacy.shadows", one.pop("shadows", None), other.pop("shadows", None), looser=-1)
    yield from _leaves("privacy", one, other)


def _of_statistics(before: Document, after: Document) -> Iterator[PolicyEdit]:
    """Each is surer where it is higher. One that only one of both has came with another version of this tool."""
    for key in sorted(before.keys() & after.keys()):
        yield from _number(f"statistics.{key}", before[key], after[key], looser=-1)


def _of_approvals(before: Document, after: Document) -> Iterator[PolicyEdit]:
    for role in sorted(before.keys() | after.keys()):
        yield from _number(f"approvals.{role}", before.get(role), after.get(role), looser=-1)


def _of_target(before: Document, after: Document) -> Iterator[PolicyEdit]:
    yield from _leaves("target.board", before.get("board"), after.get("board"))
    for key in ("flash_kib", "ram_kib"):
        was, now = _kib(before, key), _kib(after, key)
        if was is not None and now is not None:
            yield from _number(f"target.{key}", was, now, looser=1)


def _kib(target: Document, key: str) -> int | None:
    """The policy's own limit, else the board's; None for a board that this version does not know."""
    board = BOARDS.get(target.get("board", ""))
    own: int | None = target.get(key)
    return own if own is not None or board is None else int(getattr(board, key))


def _of_demands(before: Document, after: Document) -> Iterator[PolicyEdit]:
    for key in sorted(before.keys() | after.keys()):
        yield from _number(f"data.{key}", before.get(key) or None, after.get(key) or None, looser=-1)


def _of_answers(before: Document, after: Document) -> Iterator[PolicyEdit]:
    for edit in _leaves("human_centred", before, after):
        yield _of_safeguard(edit) if edit.path == _NEVER_RECORD else edit


def _of_safeguard(edit: PolicyEdit) -> PolicyEdit:
    """What must never be recorded: fewer things are looser, more are tighter, other words are neither."""
    before, after = set(edit.before or ()), set(edit.after or ())
    way: Effect = "loosened" if after < before else "tightened" if before < after else "other"
    return edit.model_copy(update={"effect": way})


def _number(path: str, before: float | None, after: float | None, *, looser: int) -> Iterator[PolicyEdit]:
    if before != after:
        yield PolicyEdit(path=path, before=before, after=after, effect=effect(before, after, looser=looser))


def _leaves(path: str, before: Any, after: Any) -> Iterator[PolicyEdit]:
    """Every value that differs, where one by one they can be told."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _leaves(f"{path}.{key}", before.get(key), after.get(key))
    elif _is_steps(before) and _is_steps(after) and [*map(list, before)] == [*map(list, after)]:
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _leaves(f"{path}[{number}]", one, other)
    elif before != after:
        yield PolicyEdit(path=path, before=before, after=after, effect="other")


def _is_steps(value: Any) -> bool:
    """Whether this is a recipe, of which steps of the same names in the same order can be compared one by one."""
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)
