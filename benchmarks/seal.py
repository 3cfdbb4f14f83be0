"""Whether an attacker gets anything past the sealed image, and what sealing costs."""

from __future__ import annotations

from benchmarks import seal_agreement, seal_attacks, seal_flips, seal_fuzz, seal_speed, seal_third_parties
from benchmarks.table import conclude


def main() -> None:
    """Alter, attack, compare, fuzz, time, and print the table."""
    parts = (seal_flips, seal_attacks, seal_agreement, seal_fuzz, seal_third_parties, seal_speed)
    conclude("seal", [row for part in parts for row in part.rows()])


if __name__ == "__main__":
    main()
