"""Whether the statistics hold what they promise: coverage, false alarms, power and speed, in one table.

Every figure has a fixed seed and the bar that it was promised to meet; nothing is chosen by looking at results.
"""

from __future__ import annotations

from benchmarks import bootstrap, coverage, false_fail, power
from benchmarks.table import conclude


def main() -> None:
    """Simulate, time, and print the table."""
    conclude("stats", [*coverage.rows(), *false_fail.rows(), *power.rows(), *bootstrap.rows()])


if __name__ == "__main__":
    main()
