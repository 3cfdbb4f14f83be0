"""Shadows carried out: the same bytes however they come about, and nothing is made twice that is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shadow_world import bench

from audit_pipeline.progress import silent
from audit_pipeline.shadows import bench as carrying
from audit_pipeline.shadows.bench import Bench, Shadow
from audit_pipeline.shadows.run import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shadows")


@pytest.fixture(scope="module")
def first(folder: Path) -> Shadow:
    """Made in this process and kept nowhere."""
    return bench(folder).carry_out(0)


def test_a_shadow_gives_away_every_row_by_both_signals_before_and_after(first: Shadow) -> None:
    before, after = first.before.phi, first.after[0].phi
    assert before.keys() == after.keys() == {"output", "logits"}
    for signal, phi in before.items():
        assert phi.shape == (120,) and np.isfinite(phi).all()
        assert 0 < np.median(np.abs(phi - after[signal])) < 0.1


def test_what_is_kept_is_not_made_again_and_damage_is_made_good(
    folder: Path, first: Shadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    train = carrying._train

    def counted(bench: Bench, number: int) -> carrying.Trained:
        trained.append(number)
        return train(bench, number)

    monkeypatch.setattr(carrying, "_train", counted)
    kept = folder / "kept"
    kept.mkdir()
    keeping = bench(folder, kept)
    assert keeping.carry_out(0) == keeping.carry_out(0) == first
    assert trained == [0]
    for entry in kept.iterdir():
        entry.write_bytes(entry.read_bytes()[:-40])
    assert keeping.carry_out(0) == first
    assert trained == [0, 0]


@pytest.mark.bench
def test_several_processes_give_the_bytes_of_one(folder: Path, first: Shadow) -> None:
    both = run(bench(folder, shadows=2), 2, silent)
    assert both[0] == first != both[1]
    assert run(bench(folder, shadows=2), 1, silent) == both
