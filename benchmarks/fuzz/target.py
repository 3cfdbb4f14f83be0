"""What the fuzzer needs to know of a parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.fuzz.watch import Watch


@dataclass(frozen=True)
class Target:
    """A parser, genuine samples for it, and what may come out."""

    samples: tuple[bytes, ...]
    """Genuine inputs, at least one of every kind the parser knows."""
    alter: Callable[[Random, bytes, Sequence[bytes]], bytes]
    """Random numbers, what is altered (a sample, or an input that met something new) and the samples → an input."""
    judge: Callable[[Watch, bytes], None]
    """Asks the parser through the watch; raises `Wrong` where it took an input that it must not take."""
    codes: frozenset[str]
    """Error codes that an input can lead to, as the parser's source has them."""
