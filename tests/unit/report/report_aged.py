"""Evidence as it was written before findings were tested: without p-values, prospects, changes and exemplars."""

from __future__ import annotations

import json
from typing import Any

from audit_pipeline.evidence import Evidence

LATER = {
    *("breach", "prospect", "by_chance", "change", "exemplars"),
    *("scale", "task", "threshold", "score", "unit", "row_seconds"),
}
"""Keys that came later; each has a default."""


def aged(evidence: Evidence) -> bytes:
    """The document without what came later."""
    return json.dumps(_without(json.loads(evidence.canonical()))).encode()


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(each) for key, each in value.items() if key not in LATER}
    return [_without(each) for each in value] if isinstance(value, list) else value
