"""What a file is taken apart into, whatever its format."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, order=True)
class Region:
    """Bytes of a section that have a name."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class Constant:
    """A tensor that is the same in every run: numbers, in the order in which they stand in the file."""

    name: str
    offset: int
    """Of its first byte in its section."""
    values: NDArray[Any]
    """Of any shape and number type."""
    contiguous: bool = True
    """Whether the values stand in the file in this order; else `offset` is all that is said of their place."""


@dataclass(frozen=True)
class Section:
    """Bytes that are searched in one go: a file, a member of an archive, what stands around an encrypted payload."""

    name: str
    data: bytes
    base: int = 0
    """Offset of its first byte in the file; 0 of what has to be unpacked before it can be read."""
    regions: tuple[Region, ...] = ()
    """Sorted, none over another."""
    constants: tuple[Constant, ...] = ()
    end: int | None = None
    """Where its format ends, so that bytes behind it are trailing; None where that is not known."""

    def where(self, offset: int) -> str:
        """The name of what stands at an offset of the section."""
        place = bisect_right(self._starts, offset) - 1
        if place < 0 or offset >= self.regions[place].end:
            return self.name
        return f"{self.name}: {self.regions[place].name}"

    @cached_property
    def _starts(self) -> list[int]:
        return [region.start for region in self.regions]
