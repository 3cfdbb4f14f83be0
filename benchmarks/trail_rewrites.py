"""A log that is rewritten by somebody who holds all of it, and who notices: the tests' own list, tried whole.

Tests are no package; their folder is put on the path here and nowhere else.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.table import Row

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "unit" / "trail" / "rewrites"))

from rewrite_catalogue import FAMILIES, REWRITES
from told_log import told_log


def rows() -> list[Row]:
    """How many of the rewrites are noticed with nothing, with one pinned checkpoint, and with one honest witness."""
    with tempfile.TemporaryDirectory() as folder, told_log(Path(folder)) as told:
        genuine = told.meets(None)
        found = [told.meets(rewrite) for rewrite in REWRITES]
    count, families = len(found), Counter(rewrite.family for rewrite in REWRITES)
    print("rewrites:", ", ".join(f"{families[family.name]} {family.name}" for family in FAMILIES))
    whole = sum(each.alone is None for each in found)
    return [
        Row("rewrites of a log, with its key", count, "", at_least=200),
        Row("of them so well that nothing in the database shows it", whole, "", at_least=200),
        Row("caught by one pinned checkpoint", sum(each.pin is not None for each in found) / count, "", at_least=1),
        Row("caught by one honest witness", sum(each.witness is not None for each in found) / count, "", at_least=1),
        Row("complaints about the log as it was", _complaints(genuine.pin, genuine.witness), "", at_most=0),
    ]


def _complaints(*codes: str | None) -> int:
    return sum(code is not None for code in codes)
