"""What a rewrite is, and the list that all of them stand in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from forger import Forger
from story import Story, story

Retelling: TypeAlias = Callable[[Story], Story | None]
"""Changes the story it is given, or returns another."""


@dataclass(frozen=True)
class Rewrite:
    """One rewrite by somebody who holds the database, the log's key and what that key remembers."""

    name: str
    family: str
    carry_out: Callable[[Forger], None]


@dataclass
class Family:
    """A list of rewrites that grows by decoration."""

    name: str
    rewrites: list[Rewrite] = field(default_factory=list)

    def enter(self, name: str, carry_out: Callable[[Forger], None]) -> None:
        """Enter one under a name."""
        self.rewrites.append(Rewrite(name, self.name, carry_out))

    def retold(self, name: str, retelling: Retelling) -> None:
        """Enter the log of another story, made anew in every part, signed and remembered."""

        def carry_out(forger: Forger) -> None:
            told = story()
            other = retelling(told)
            forger.retell(told if other is None else other)

        self.enter(name, carry_out)

    def by_hand(self, carry_out: Callable[[Forger], None]) -> Callable[[Forger], None]:
        """Enter a function under its own name."""
        self.enter(carry_out.__name__.replace("_", " "), carry_out)
        return carry_out
