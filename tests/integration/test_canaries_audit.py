"""Canaries from planting to verdict: a network that learnt them by heart fails, one that met them once does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.measurement import Outcome
from benchmarks.memoriser import Size, audit_memoriser

SIZE = Size(rows=400, canaries=120, units=96, epochs=40)


def test_a_network_that_learns_by_heart_is_found_out_on_the_device(tmp_path: Path) -> None:
    found = audit_memoriser(tmp_path, SIZE, keeps=True)
    assert found.outcome is Outcome.FAIL
    assert found.privacy is not None
    parts = {(part.model, part.signal): part for part in found.privacy.canaries}
    assert set(parts) == {(model, signal) for model in ("float", "device") for signal in ("output", "logits")}
    assert parts["device", "logits"].epsilon > 2


@pytest.mark.bench
def test_a_network_that_met_its_rows_once_proves_nothing_and_passes(tmp_path: Path) -> None:
    found = audit_memoriser(tmp_path, SIZE, keeps=False)
    assert found.outcome is Outcome.PASS
    assert found.privacy is not None
    assert max(part.epsilon for part in found.privacy.canaries) < 1
