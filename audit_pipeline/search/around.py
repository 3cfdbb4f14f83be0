"""What long work is given of the world: a place for its cache, a clock, processes, and somebody who looks on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class State(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    MEASURED = "measured"
    DROPPED = "dropped"
    CHOSEN = "chosen"


@dataclass(frozen=True)
class News:
    """What is known of one trial at one moment."""

    number: int
    label: str
    round: int
    state: State
    size_bytes: int | None = None
    worst_drop: float | None = None
    violation: float | None = None
    remark: str = ""
    """Why it was dropped or chosen; empty otherwise."""


class Observer(Protocol):
    """Called by a search as it goes on."""

    def __call__(self, news: News) -> None:
        """Take notice of a trial."""


def nobody(news: News) -> None:
    """Observe nothing."""


@dataclass(frozen=True)
class Around:
    """What surrounds a search, or the training of an attacker's models.

    It changes nothing of what they find but where a time limit ends a search.
    """

    cache: Path | None = None
    """Folder that remembers what was tried; None: nothing is remembered."""
    clock: Callable[[], float] | None = None
    """Seconds that only go on; needed where the search has a time limit."""
    observe: Observer = nobody
    jobs: int = 1
    """Processes that an attacker's models are trained in."""
    allow_code: bool = False
    """Whether the training function beside a policy may be run."""


ALONE = Around()
"""No cache, no clock, one process, no code but this, nobody looking on."""
