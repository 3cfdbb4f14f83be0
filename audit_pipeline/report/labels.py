"""Where words stand beside the marks of a picture, so that neither covers the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from rich.cells import cell_len

_Anchor = Literal["start", "middle", "end"]
_CHARACTER = 0.58
"""Width of a character, in parts of the font's size: broad enough for any sans-serif a reader has."""
_GAP = 3.0
"""Pixels between a mark and its word."""


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels from the top left."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have a point in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies inside."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True)
class Label:
    """A word where it stands, by the middle of its height."""

    x: float
    y: float
    anchor: _Anchor
    text: str
    strong: bool


@dataclass(frozen=True)
class Wish:
    """A word that shall stand beside a point."""

    x: float
    y: float
    reach: float
    """How far the point's mark reaches, in pixels."""
    text: str
    strong: bool = False
    """Whether it must stand, even over something else."""


def place(wishes: Iterable[Wish], marks: Sequence[Box], field: Box, font: float) -> list[Label]:
    """Set words beside their points, the first wish first: low and left of it, or wherever there is room.

    Args:
        wishes: in the order of their weight; a word without room is left out unless it is strong.
        marks: what no word may cover.
        field: what every word must lie in.
        font: size of the words in pixels.
    """
    taken, labels = list(marks), []
    for wish in wishes:
        tried = [(label, _box(label, font)) for label in _places(wish, font)]
        inside = [each for each in tried if field.holds(each[1])]
        free = [each for each in inside if not any(each[1].meets(box) for box in taken)]
        if found := (free or (inside or tried if wish.strong else []))[:1]:
            labels.append(found[0][0])
            taken.append(found[0][1])
    return labels


def _places(wish: Wish, font: float) -> Iterator[Label]:
    """Where a word may stand, the best first: nothing smaller and fairer lies low and left of a front's point."""
    low, aside = font * 0.5 + wish.reach + _GAP, wish.reach + _GAP
    corner = wish.reach * 0.7
    anchors: tuple[tuple[_Anchor, float], ...] = (("end", -1.0), ("start", 1.0), ("middle", 0.0))
    for down, (anchor, side) in product((low, -low), anchors):
        yield Label(wish.x + side * corner, wish.y + down, anchor, wish.text, wish.strong)
    for anchor, side in anchors[:2]:
        yield Label(wish.x + side * aside, wish.y, anchor, wish.text, wish.strong)


def _box(label: Label, font: float) -> Box:
    width = cell_len(label.text) * font * _CHARACTER
    left = {"start": label.x, "middle": label.x - width / 2, "end": label.x - width}[label.anchor]
    return Box(left, label.y - font * 0.5, left + width, label.y + font * 0.5)
