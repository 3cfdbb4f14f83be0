"""Entries that never were."""

from __future__ import annotations

import copy

from rewrite import Family
from story import Story, Told, digest, index, story

INSERTIONS = Family("insert")

_WAIVER = story()[index("waiver", "summer")]
_APPROVAL = story()[index("approval", "autumn")]


def _inserted(name: str, at: int, *new: Told) -> None:
    INSERTIONS.retold(name, lambda told: [*told[:at], *copy.deepcopy(new), *told[at:]])


def _entry(kind: str, run: str, at: str, **body: object) -> Told:
    return Told(kind=kind, run=run, at=at, body=dict(body))


def _doubled(at: int) -> None:
    told = story()[at]
    _inserted(f"say entry {at} twice, {told['kind']} of {told['run']}", at, told)


_inserted(
    "register a policy before what it was loosened after",
    index("policy", "spring"),
    _entry("policy", "summer", "2026-05-02T11:00:00Z", sha256=digest("5"), rules=[{"max_drop": 0.2}]),
)
_inserted("waive before the release that had no waiver", index("findings", "spring"), {**_WAIVER, "run": "spring"})
_inserted("a second waiver beside the one there was", index("waiver", "summer"), _WAIVER)
_inserted("approve before the verdict", index("verdict", "autumn"), _APPROVAL)
_inserted(
    "a third approval that there never was",
    index("incident", "autumn"),
    _entry("approval", "autumn", "2026-05-08T12:00:00Z", role="clinical", key=digest("e"), reason="yes"),
)
_inserted(
    "revoke before the incident",
    index("incident", "autumn"),
    _entry("revocation", "autumn", "2026-05-19T12:00:00Z", reason="as a precaution", key=digest("a")),
)
_inserted(
    "revoke what was never revoked",
    index("verdict", "autumn"),
    _entry("revocation", "spring", "2026-05-06T13:00:00Z", reason="withdrawn", key=digest("a")),
)
_inserted(
    "a passed run before the one that failed",
    index("policy", "spring"),
    *[_entry(kind, "first", "2026-05-01T13:00:00Z", sha256=digest("e")) for kind in ("policy", "data", "model")],
    _entry("verdict", "first", "2026-05-01T13:00:00Z", outcome="PASS"),
)
_inserted(
    "redact an entry that nobody redacted",
    len(story()) - 1,
    _entry("redaction", "spring", "2026-05-23T12:00:00Z", index=index("verdict", "spring"), reason="personal data"),
)
_inserted(
    "correct a clock that was right",
    index("policy", "summer"),
    _entry("clock", "trail", "2026-05-04T12:00:00Z", reason="it was a year ahead"),
)
_inserted("an entry before the first", 0, _entry("aborted", "nothing", "2026-04-30T12:00:00Z", code="none"))
_inserted("rename a key before it was used", 1, _entry("keys", "trust", "2026-05-01T13:00:00Z", serial=2))
for _at in range(0, len(story()), 2):
    _doubled(_at)


def _padded(told: Story) -> Story:
    return [new for entry in told for new in (entry, _entry("aborted", "padding", entry["at"], code="none"))]


INSERTIONS.retold("an entry behind every entry", _padded)
INSERTIONS.retold("say everything twice", lambda told: [entry for entry in told for _ in range(2)])
