"""A long log, written fast: the rows that as many appends would have left, in one transaction and past no guard."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import Frontier

_AT = "2026-11-23T12:00:00Z"
_COLUMNS = ("index", "kind", "run", "at", "canonical", "leaf_hash", "root", "nodes")
_SHA256 = "5f" * 32
_ANSWERS = {
    "intended_use": "warn the wearer of a run of premature ventricular beats, for a physician to look at",
    "affected": ["wearers", "their relatives, who are called at night"],
    "worst_error": {"class": "V", "kind": "missed", "harms": "the wearer"},
    "responsible": {"false_alarm": "the operator", "missed_alarm": "the maker"},
    "oversight": {"who_can_stop": "the clinical lead", "how_to_appeal": "write to the clinic"},
}
_RECIPE = [
    {"prune_weights": {"ratio": 0.4, "epochs": 3}},
    {"fine_tune": {"epochs": 4}},
    {"quantize": {"scheme": "int8"}},
]
_FILES = ("report.html", "report.md", "model.tflite", "policy.yaml", "predictions.npz", "verdict.dsse.json")
_RUN: tuple[tuple[Kind, dict[str, Any]], ...] = (
    ("policy", {"name": "wearable-ecg", "sha256": _SHA256, "human_centred": _ANSWERS}),
    ("data", {"name": "mit-bih-arrhythmia", "sha256": _SHA256, "lawful_basis": "consent"}),
    ("model", {"file": "model.h5", "sha256": _SHA256, "baseline_sha256": None}),
    ("candidate", {"sha256": _SHA256, "bytes": 27_024, "scheme": "int8", "recipe": _RECIPE, "seed": 5, "notes": []}),
    ("findings", {"sha256": _SHA256, "counts": {"PASS": 22, "FAIL": 1, "INCONCLUSIVE": 1}}),
    ("verdict", {"outcome": "FAIL", "evidence_sha256_without_seal": _SHA256, "files": dict.fromkeys(_FILES, _SHA256)}),
)
"""What one run enters, in the sizes that `audit ship` gives it."""


def fill(path: Path, entries: int) -> None:
    """Make a log of so many entries; the last one is appended as every entry is, and its checkpoint covers all."""
    Trail.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        columns, marks = ", ".join(f'"{column}"' for column in _COLUMNS), ", ".join("?" * len(_COLUMNS))
        for row, size, peaks in _rows(entries - 1):
            connection.execute(f"INSERT INTO entry ({columns}) VALUES ({marks})", row)
            connection.execute("UPDATE frontier SET size = ?, peaks = ?", (size, peaks))
        connection.execute("COMMIT")
    with Trail.open(path) as trail:
        trail.append("aborted", run="last", at=_AT, body={"error": "interrupted"})


def _rows(entries: int) -> Iterator[tuple[tuple[int | str, ...], int, str]]:
    """Columns of each entry, and size and peaks of the frontier with it."""
    frontier = Frontier()
    for index, (kind, body) in enumerate(islice(cycle(_RUN), entries)):
        run = f"2026-11-23-{sha256_hex(str(index // len(_RUN)).encode())[:8]}"
        entry = Entry.compose(index, kind, run, _AT, body)
        nodes = b"".join(frontier.completed(entry.leaf_hash)).hex()
        frontier = frontier.append(entry.leaf_hash)
        text, root = entry.canonical.decode(), frontier.root().hex()
        row = (index, kind, run, _AT, text, entry.leaf_hash.hex(), root, nodes)
        yield row, frontier.size, frontier.to_hex()
