"""How long the command line takes to answer: the median of nine whole processes each."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import Row, conclude

_RUNS = 9


def _seconds(arguments: list[str]) -> float:
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Time `audit --help` and `audit --version` beside an empty Python process."""
    audit = str(Path(sys.executable).parent / "audit")
    conclude(
        "cli",
        [
            Row("audit --help", _seconds([audit, "--help"]), "s", at_most=0.4),
            Row("audit ship --help", _seconds([audit, "ship", "--help"]), "s", at_most=0.4),
            Row("an empty Python process, for comparison", _seconds([sys.executable, "-c", ""]), "s", at_most=0.4),
        ],
    )


if __name__ == "__main__":
    main()
