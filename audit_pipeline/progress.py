"""How long work tells how far it is: an observer that is passed in, so that no stage prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called by a stage as it goes on."""

    def __call__(self, step: str, done: float) -> None:
        """`step` names the work in hand, `done` is its finished share, 0.0 to 1.0."""


def silent(step: str, done: float) -> None:
    """Observe nothing."""
