"""The log of two runs that `audit log` is tried on, and hands to write to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place

SHA = "ab" * 32
RUN = "20260504T120000Z-wearable-ecg"
ENTRIES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("policy", "first", "2026-05-04T12:00:00Z", {"name": "wearable", "sha256": SHA, "human_centred": {}}),
    ("verdict", "first", "2026-05-04T12:05:00Z", {"outcome": "FAIL"}),
    (
        "policy",
        RUN,
        "2026-05-05T09:00:00Z",
        {
            "name": "wearable",
            "sha256": SHA,
            "human_centred": {"author": {"role": "head of clinical safety"}},
            "changed": {
                "run": "first",
                "outcome": "FAIL",
                "edits": [{"path": "fairness.recall[V].max_drop", "before": 0.02, "after": 0.05, "effect": "loosened"}],
            },
        },
    ),
    ("verdict", RUN, "2026-05-05T09:05:00Z", {"outcome": "PASS"}),
    ("approval", RUN, "2026-05-05T10:00:00Z", {"role": "compliance", "signer": SHA, "reason": "read \x1b[2Jall of it"}),
)

Audit = Callable[..., tuple[int, str, str]]


def parsed(audit: Audit, *arguments: str, code: int = 0) -> Any:
    """The result as `--json` gives it; an error's code alone."""
    got, out, err = audit(*arguments, "--json")
    assert (got, err) == (code, "")
    document = json.loads(out)
    return document["error"]["code"] if "error" in document else document


def add(audit_trail: str | Place, run: str = "later", at: str = "2026-05-06T00:00:00Z") -> None:
    with Trail.open(audit_trail) as trail:
        trail.append("verdict", run, at, {"outcome": "PASS"})


def doctor(*statements: str) -> None:
    """Change the database as somebody who dropped its guards."""
    connection = sqlite3.connect("audit.db", isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()
