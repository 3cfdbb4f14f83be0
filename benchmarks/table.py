"""One form for every benchmark: a table for people, the same as JSON, and an exit code that says whether all holds."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
_PACKAGES = (
    "audit-pipeline",
    "tensorflow",
    "tf_keras",
    "ai-edge-litert",
    "tflite-micro",
    "fairlearn",
    "imgtool",
    "cryptography",
    "sqlalchemy",
)


@dataclass(frozen=True)
class Row:
    """One figure and the bar it is held against; exactly one of the two bars is set."""

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure meets its bar."""
        if self.at_least is not None:
            return bool(self.value >= self.at_least)
        return self.at_most is not None and bool(self.value <= self.at_most)

    def to_json(self) -> dict[str, object]:
        """The row as the results file holds it."""
        key, bar = ("at_least", self.at_least) if self.at_least is not None else ("at_most", self.at_most)
        value = float(f"{float(self.value):.6g}")
        return {"what": self.what, "value": value, "unit": self.unit, key: bar, "holds": self.holds}


def conclude(name: str, rows: list[Row]) -> None:
    """Print the table, write `results/NAME.json`, and exit 0 only if every row holds."""
    width = max(len(row.what) for row in rows)
    for row in rows:
        sign, bar = ("≥", row.at_least) if row.at_least is not None else ("≤", row.at_most)
        mark = "holds" if row.holds else "FALLS SHORT"
        print(f"{row.what:<{width}}  {row.value:>12.4g} {row.unit:<8} {sign} {bar:<10.4g} {mark}")
    document = {
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {**{package: version(package) for package in _PACKAGES}, "sqlite": sqlite3.sqlite_version},
        "rows": [row.to_json() for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    sys.exit(0 if all(row.holds for row in rows) else 1)
