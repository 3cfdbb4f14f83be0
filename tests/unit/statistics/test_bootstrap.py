"""The bootstrap of counts against resampled rows and resampled people."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from audit_pipeline.statistics.bootstrap import bootstrap

Drawn = np.ndarray


def counts_of(rows: np.ndarray, place: np.ndarray, shape: tuple[int, ...], people: np.ndarray | None = None) -> Drawn:
    return bootstrap(np.asarray, rows, place, shape, people, replicates=4000, seed=5)


ROWS = np.array([12, 3, 0, 25, 1, 9])
PLACE = np.array([0, 1, 1, 3, 0, 5])


def test_every_replicate_has_as_many_rows_as_the_sample() -> None:
    drawn = counts_of(ROWS, PLACE, (2, 3))
    assert drawn.shape == (4000, 2, 3)
    assert (drawn.sum((1, 2)) == 50).all()
    assert not drawn[:, 0, 2].any()


def test_counts_of_rows_vary_as_the_multinomial_does() -> None:
    drawn = counts_of(ROWS, PLACE, (6,))
    share = np.bincount(PLACE, ROWS, 6) / 50
    error = np.sqrt(50 * share * (1 - share) / 4000)
    assert (np.abs(drawn.mean(0) - 50 * share) <= 4 * error).all()
    expected = 50 * (np.diag(share) - np.outer(share, share))
    assert np.cov(drawn.T) == pytest.approx(expected, abs=0.06 * 50 * 0.25)


def test_people_are_drawn_with_all_their_rows() -> None:
    people = np.array([0, 0, 1, 1, 2, 3])
    rows, place = np.array([5, 2, 40, 3, 7, 1]), np.array([0, 1, 0, 1, 1, 0])
    each = np.zeros((4, 2), np.int64)
    np.add.at(each, (people, place), rows)
    drawn = counts_of(rows, place, (2,), people)
    weights = np.random.default_rng(0).multinomial(4, np.full(4, 0.25), 4000) @ each
    assert {tuple(row) for row in drawn.tolist()} <= {
        tuple((np.bincount(chosen, minlength=4) @ each).tolist()) for chosen in np.ndindex(4, 4, 4, 4)
    }
    assert drawn.mean(0) == pytest.approx(weights.mean(0), rel=0.05)
    assert drawn.std(0) == pytest.approx(weights.std(0), rel=0.05)


def test_numbers_of_people_may_have_holes() -> None:
    rows, place = np.array([5, 2, 40]), np.array([0, 1, 0])
    dense = counts_of(rows, place, (2,), np.array([0, 1, 2]))
    assert (counts_of(rows, place, (2,), np.array([3, 70, 71])) == dense).all()


@pytest.mark.parametrize("people", [None, np.array([0, 1, 1, 2, 3, 3])])
def test_replicates_depend_on_the_seed_alone(people: np.ndarray | None) -> None:
    def drawn(seed: int, most_numbers: int) -> Drawn:
        return bootstrap(np.asarray, ROWS, PLACE, (6,), people, replicates=501, seed=seed, most_numbers=most_numbers)

    assert (drawn(1, 1 << 20) == drawn(1, 1)).all()
    assert (drawn(1, 1 << 20) == drawn(1, 70)).all()
    assert (drawn(1, 70) != drawn(2, 70)).any()


@pytest.mark.parametrize("people", [None, np.zeros(0, np.int64)])
def test_a_sample_without_rows_stays_empty(people: np.ndarray | None) -> None:
    nothing = np.zeros(0, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = bootstrap(np.asarray, nothing, nothing, (2, 2), people, replicates=3, seed=1)
    assert drawn.shape == (3, 2, 2)
    assert not drawn.any()


def test_one_person_is_drawn_every_time() -> None:
    drawn = counts_of(np.array([5, 2]), np.array([0, 1]), (2,), np.array([0, 0]))
    assert (drawn == [5, 2]).all()
