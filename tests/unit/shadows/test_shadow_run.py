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
def both(folder: Path) -> tuple[Shadow, ...]:
    """A pair of shadows, made in this process and kept nowhere."""
    return run(bench(folder, shadows=2), 1, silent)


def test_a_shadow_gives_away_every_row_by_both_signals_before_and_after(both: tuple[Shadow, ...]) -> None:
    before, after = both[0].before.phi, both[0].after[0].phi
    assert before.keys() == after.keys() == {"output", "logits"}
    for signal, phi in before.items():
        assert phi.shape == (120,) and np.isfinite(phi).all()
        assert 0 < np.median(np.abs(phi - after[signal])) < 0.1
    assert both[0] != both[1]


class Counted:
    """Counts what is trained."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.numbers: list[int] = []
        train = carrying._train

        def trained(bench: Bench, number: int) -> carrying.Trained:
            self.numbers.append(number)
            return train(bench, number)

        monkeypatch.setattr(carrying, "_train", trained)


def test_a_run_that_was_cut_short_goes_on_from_what_is_kept_and_damage_is_made_good(
    folder: Path, both: tuple[Shadow, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, kept = Counted(monkeypatch), folder / "kept"
    kept.mkdir()
    assert bench(folder, kept, shadows=2).carry_out(0) == both[0]
    assert run(bench(folder, kept, shadows=2), 1, silent) == both
    assert counted.numbers == [0, 1]
    for entry in kept.iterdir():
        entry.write_bytes(entry.read_bytes()[:-40])
    assert bench(folder, kept, shadows=2).carry_out(1) == both[1]
    assert counted.numbers == [0, 1, 1]


@pytest.mark.bench
def test_several_processes_give_the_bytes_of_one(folder: Path, both: tuple[Shadow, ...]) -> None:
    assert run(bench(folder, shadows=2), 2, silent) == both
