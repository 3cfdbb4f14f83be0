"""The catalogue of attacks: how many there are, how many are refused, and the page that says so.

`python -m benchmarks.seal_attacks` writes `docs/attacks.md` again.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.seal_material import lines, page
from benchmarks.table import Row

_PAGE = Path(__file__).parent.parent / "docs" / "attacks.md"


def rows() -> list[Row]:
    """How many attacks there are, and which share of them ends in the very error that says what is wrong."""
    found = lines()
    refused = sum(line.code == line.attack.code for line in found)
    return [
        Row("named attacks", len(found), "", at_least=60),
        Row("error codes that they end in", len({line.code for line in found}), "", at_least=60),
        Row("of them refused with the code that names the fault", refused / len(found), "", at_least=1),
    ]


def main() -> None:
    """Write the page."""
    _PAGE.write_text(page(lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
