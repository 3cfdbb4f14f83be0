"""Constants that are training rows, and constants that only look alike."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_pipeline.privacy.opened.section import Constant, Section
from audit_pipeline.privacy.sketches import Sketches
from audit_pipeline.privacy.training_constants import find_constants

RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(400, 40, 3)).astype(np.float32)
WHOLE = ROWS[17].ravel().astype(np.float64)


def found(values: NDArray[np.generic], rows: NDArray[np.float32] = ROWS) -> list[tuple[int, str]]:
    section = Section("m", values.tobytes(), constants=(Constant("tensor 'k'", 0, values),))
    return [(hit.offset, hit.where) for hit in find_constants([section], rows)]


def int8(values: NDArray[np.float64]) -> NDArray[np.int8]:
    centred = values - values.mean()
    return np.asarray(np.rint(centred / np.abs(centred).max() * 127), dtype=np.int8)


@pytest.mark.parametrize("scale", [1.0, -0.03, 250.0])
@pytest.mark.parametrize("offset", [0.0, -7.5])
def test_a_row_is_found_whatever_its_scale_and_offset(scale: float, offset: float) -> None:
    assert found((WHOLE * scale + offset).astype(np.float32)) == [(0, "m: tensor 'k'")]


def test_a_row_is_found_rounded_within_a_larger_kernel() -> None:
    kernel = np.random.default_rng(1).integers(-127, 128, 5000).astype(np.int8)
    kernel[1234:1354] = int8(WHOLE)
    assert found(kernel.reshape(50, 100)) == [(1234, "m: tensor 'k'")]


def test_a_channel_is_found_alone_and_a_shift_of_one_channel_hides_nothing() -> None:
    assert found(int8(ROWS[5, :, 1].astype(np.float64))) == [(0, "m: tensor 'k'")]
    shifted = ROWS[9].astype(np.float64) + np.array([0.0, 3.0, -50.0])
    assert (0, "m: tensor 'k'") in found(shifted.ravel().astype(np.float32))


@pytest.mark.parametrize("seed", range(5))
def test_random_weights_are_no_rows(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    assert found(rng.integers(-127, 128, 20_000).astype(np.int8)) == []
    assert found(rng.normal(size=5000).astype(np.float32)) == []


def test_shapes_that_programs_and_data_share_are_no_rows() -> None:
    """A ramp is a ramp: two smooth curves agree by chance, and two values in a few places do."""
    time = np.linspace(0, 1, 64)
    smooth = np.stack([time * slope for slope in range(1, 50)]).astype(np.float32)
    assert found(np.arange(64).astype(np.int8), smooth) == []
    peak = np.zeros((20, 64), np.float32)
    peak[np.arange(20), np.arange(20) + 9] = 1
    assert found((np.random.default_rng(0).random(5000) < 0.02).astype(np.int8), peak) == []
    few = (np.random.default_rng(2).random((300, 12)) < 0.5).astype(np.float32)
    assert found((np.random.default_rng(3).random(20_000) < 0.5).astype(np.int8), few) == []


def test_numbers_that_are_none_hide_nothing() -> None:
    values = np.concatenate([WHOLE, [np.nan, np.inf]]).astype(np.float32)
    assert found(values) == [(0, "m: tensor 'k'")]
    assert found(np.zeros(500, np.float32)) == []


def test_every_close_pair_is_a_candidate() -> None:
    """Against brute force: what correlates by 0.999 or more is met, and hardly anything else."""
    rows = ROWS.reshape(400, 120) - ROWS.reshape(400, 120).mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rng = np.random.default_rng(6)
    planted = {(120 * place, int(row)) for place, row in enumerate(rng.integers(0, 400, 80))}
    series = np.concatenate([rows[row] for _, row in sorted(planted)])
    series = (series + rng.normal(0, 0.04 / np.sqrt(120), series.shape)).astype(np.float32)
    met = [pair for offsets, which in Sketches(rows, 1).candidates(series) for pair in zip(offsets, which, strict=True)]
    pairs = {(int(offset), int(row)) for offset, row in met}
    assert planted <= pairs
    assert len(pairs) < 3 * len(planted)
