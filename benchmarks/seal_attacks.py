"""The catalogue of attacks: how many there are, how many are refused, and the page that says so.

`python -m benchmarks.seal_attacks` writes `docs/attacks.md` again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.table import Row

_ROOT = Path(__file__).parent.parent
PAGE = _ROOT / "docs" / "attacks.md"

# The catalogue is the tests' own; the benchmark counts it.
sys.path[:0] = [str(_ROOT / "tests" / "unit" / "seal" / "attacks"), str(_ROOT / "tests" / "unit" / "seal")]

from attack_table import lines, page  # noqa: E402


def rows() -> list[Row]:
    """How many attacks there are, and how many of them end in the code that says what is wrong."""
    found = lines()
    refused = sum(line.code == line.attack.code for line in found)
    return [
        Row("named attacks", len(found), "", at_least=60),
        Row("attacks refused, each with its own code", refused / len(found), "", at_least=1),
    ]


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
