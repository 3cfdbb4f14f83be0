"""Whether the audit trail can be rewritten, lost or got round, and how fast it is."""

from __future__ import annotations

from benchmarks import (
    trail_kills,
    trail_proofs,
    trail_rewrites,
    trail_shipping,
    trail_speed,
    trail_wal,
    trail_writers,
)
from benchmarks.table import conclude


def main() -> None:
    """Prove, write, kill, cut, rewrite, time, try to ship, and print the table."""
    # Before TensorFlow, whose threads no forked process should inherit, comes whatever forks.
    parts = (trail_proofs, trail_writers, trail_kills, trail_wal, trail_rewrites, trail_speed, trail_shipping)
    conclude("trail", [row for part in parts for row in part.rows()])


if __name__ == "__main__":
    main()
