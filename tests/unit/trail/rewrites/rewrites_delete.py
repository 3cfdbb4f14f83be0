"""Entries that are no longer there."""

from __future__ import annotations

from collections.abc import Callable

from rewrite import Family
from story import Told, index, story

DELETIONS = Family("delete")


def _without(name: str, gone: Callable[[int, Told], bool]) -> None:
    assert any(gone(at, entry) for at, entry in enumerate(story()))
    DELETIONS.retold(name, lambda told: [entry for at, entry in enumerate(told) if not gone(at, entry)])


_WAIVED = (index("waiver", "summer"), index("verdict", "autumn"))

for _at, _told in enumerate(story()):
    _without(f"leave out entry {_at}, {_told['kind']} of {_told['run']}", lambda at, _, which=_at: at == which)  # type: ignore[misc]

for _run in ("spring", "april", "summer", "autumn", "trust"):
    _without(f"leave out all of {_run}", lambda _, entry, run=_run: entry["run"] == run)  # type: ignore[misc]

for _kind in ("policy", "findings", "verdict", "incident", "approval", "keys"):
    _without(f"leave out every {_kind}", lambda _, entry, kind=_kind: entry["kind"] == kind)  # type: ignore[misc]

_without("leave out what failed", lambda _, entry: "FAIL" in str(entry["body"]))
_without("leave out the incidents and the revocation", lambda _, entry: entry["kind"] in {"incident", "revocation"})
_without("leave out a waiver and the verdict under it", lambda at, _: at in _WAIVED)
_without("leave out every other entry", lambda at, _: at % 2 == 1)
_without("leave out the first half", lambda at, _: at < len(story()) // 2)
_without("leave out all but the first", lambda at, _: at > 0)
_without("leave out all but the last", lambda at, _: at < len(story()) - 1)
DELETIONS.retold("leave out everything", lambda _: [])
