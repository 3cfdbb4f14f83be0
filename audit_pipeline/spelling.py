"""What somebody who mistyped a name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SIMILARITY = 0.6  # difflib's own cutoff: half the letters in order, roughly


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that resembles the word most; None where none does. Case does not count."""
    names = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=_SIMILARITY)
    return names[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End of a message: `, did you mean metric?`, or nothing where no known name resembles the word."""
    name = nearest(word, known)
    return f", did you mean {name}?" if name is not None else ""
