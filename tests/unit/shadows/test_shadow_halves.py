"""Who is in which shadow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.shadows.halves import halves


def population(people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """People with between 1 and 40 rows, of three classes, each present."""
    rng = np.random.default_rng(seed)
    units = np.repeat(np.arange(people), rng.integers(1, 41, people))
    return units, np.r_[0, 1, 2, rng.integers(0, 3, max(len(units) - 3, 0))][: len(units)]


@given(st.integers(4, 60), st.integers(4, 17), st.integers(0, 5))
def test_everybody_is_whole_and_in_half_of_the_shadows_each_of_which_holds_half(
    people: int, shadows: int, seed: int
) -> None:
    units, y = population(people, seed)
    inside = halves(units, y, shadows, seed)
    assert inside.shape == (shadows, len(units))
    first = np.array([np.flatnonzero(units == person)[0] for person in range(people)])
    assert (inside == inside[:, first][:, units]).all()
    by_person = inside[:, first]
    assert set(by_person.sum(axis=0).tolist()) <= {shadows // 2, (shadows + 1) // 2}
    assert set(by_person.sum(axis=1).tolist()) <= {people // 2, (people + 1) // 2}


def test_a_shadow_is_the_complement_of_the_one_it_is_paired_with() -> None:
    inside = halves(*population(20, 1), 8, 1)
    assert (inside[0::2] == ~inside[1::2]).all()
    assert len(np.unique(inside, axis=0)) == 8


def test_rows_of_every_class_are_halved_though_people_differ_in_theirs() -> None:
    units, y = population(40, 3)
    inside = halves(units, y, 16, 3)
    shares = [inside[:, y == each].mean(axis=1) for each in range(3)]
    assert np.abs(np.array(shares) - 0.5).max() < 0.1


def test_the_draw_is_the_seeds() -> None:
    units, y = population(30, 2)
    assert (halves(units, y, 6, 1) == halves(units, y, 6, 1)).all()
    assert (halves(units, y, 6, 1) != halves(units, y, 6, 2)).any()


@pytest.mark.parametrize("people", [4, 5])
def test_a_row_that_is_of_nobody_stands_alone(people: int) -> None:
    inside = halves(np.arange(people), np.zeros(people, np.int64), 4, 0)
    assert (inside.sum(axis=0) == 2).all()
