"""The same entries in another order."""

from __future__ import annotations

from rewrite import Family
from story import Story, index, story

ORDERS = Family("reorder")

_HALF = len(story()) // 2


def _moved(name: str, at: int, to: int) -> None:
    def move(told: Story) -> None:
        told.insert(to, told.pop(at))

    ORDERS.retold(name, move)


def _swapped(first: int, second: int) -> None:
    def swap(told: Story) -> None:
        told[first], told[second] = told[second], told[first]

    told = story()
    names = [f"{told[at]['kind']} of {told[at]['run']}" for at in (first, second)]
    ORDERS.retold(f"swap {names[0]} ({first}) with {names[1]} ({second})", swap)


for _at in range(len(story()) - 1):
    _swapped(_at, _at + 1)

_moved("a policy behind its findings", index("policy", "spring"), index("findings", "spring"))
_moved("the loosened policy before the one that failed", index("policy", "summer"), index("policy", "spring"))
_moved("a waiver before the findings that it waives", index("waiver", "summer"), index("findings", "summer"))
_moved("an approval before its verdict", index("approval", "autumn"), index("verdict", "autumn"))
_moved("a revocation behind everything", index("revocation", "autumn"), len(story()) - 1)
_moved("a revocation before the release", index("revocation", "autumn"), index("seal", "autumn"))
_moved("an incident before the approvals", index("incident", "autumn"), index("approval", "autumn"))
_moved("the first entry last", 0, len(story()) - 1)
_moved("the last entry first", len(story()) - 1, 0)
ORDERS.retold("everything backwards", lambda told: told[::-1])
ORDERS.retold("the second half first", lambda told: told[_HALF:] + told[:_HALF])
ORDERS.retold("sorted by kind", lambda told: sorted(told, key=lambda entry: entry["kind"]))
ORDERS.retold("sorted by run", lambda told: sorted(told, key=lambda entry: entry["run"]))
