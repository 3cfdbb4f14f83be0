from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from audit_pipeline.policy.load import LoadedPolicy, load_policy

POLICY = """\
version: 1
name: small
human_centred:
  intended_use: tests
  affected: [testers]
  worst_error: {class: V, kind: missed, harms: testers}
  responsible: {false_alarm: a, missed_alarm: b}
  oversight: {who_can_stop: c, how_to_appeal: d}
  never_record: [names]
  author: {role: e}
data: {manifest: data/set.yaml}
target: {board: rp2040}
fairness:
  - {metric: recall, class: V, min: 0.5}
"""


@pytest.fixture
def write_policy(tmp_path: Path) -> Callable[..., Path]:
    """Writes a valid small policy, changed by text replacements, with more text at its end."""

    def write(more: str = "", **replaced: str) -> Path:
        text = POLICY
        for key, value in replaced.items():
            (line,) = [line for line in POLICY.splitlines() if line.strip().startswith(f"{key}:")]
            text = text.replace(line, value)
        path = tmp_path / "fair.yaml"
        path.write_text(text + more, encoding="utf-8")
        return path

    return write


@pytest.fixture
def read_policy(write_policy: Callable[..., Path]) -> Callable[..., LoadedPolicy]:
    """Writes a policy as `write_policy` does, and loads it."""

    def read(more: str = "", **replaced: str) -> LoadedPolicy:
        return load_policy(write_policy(more, **replaced))

    return read
