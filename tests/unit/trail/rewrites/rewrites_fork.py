"""A second history from some entry on: shorter, as long, or longer than the one that was shown."""

from __future__ import annotations

from rewrite import Family
from story import Story, Told, index, story

FORKS = Family("fork")

_ALL = len(story())


def _other(number: int) -> Told:
    body = {"outcome": "PASS", "reasons": [], "number": number}
    return Told(kind="verdict", run=f"fork-{number}", at=f"2026-05-25T12:{number:02d}:00Z", body=body)


def _fork(at: int, length: int) -> None:
    def fork(told: Story) -> Story:
        return [*told[:at], *(_other(number) for number in range(length - at))]

    FORKS.retold(f"fork at {at}, {length} entries", fork)


for _at in (0, 1, 7, 8, 15, 16, 20, 23):
    for _length in sorted({_at + 1, _ALL, _ALL + 1, 2 * _ALL} - {_at}):
        _fork(_at, _length)

FORKS.retold(
    "fork before the first failure, and go on as before",
    lambda told: [*told[: index("findings", "spring")], _other(0), *told[index("findings", "spring") + 1 :]],
)
FORKS.retold(
    "fork before the revocation, and release again",
    lambda told: [*told[: index("revocation", "autumn")], *(_other(number) for number in range(9))],
)
FORKS.retold("another log of as many entries", lambda told: [_other(number) for number in range(len(told))])
