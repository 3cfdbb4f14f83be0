"""What somebody who mistyped a name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SIMILARITY = 0.6  # difflib's own cutoff: half the letters in order, roughly


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End of a message: `, did you mean metric?`, or nothing where no known name resembles the word.

    Upper and lower case count as the same letter.
    """
    names = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=_SIMILARITY)
    return f", did you mean {names[close[0]]}?" if close else ""
