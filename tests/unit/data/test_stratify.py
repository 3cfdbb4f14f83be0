from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.data.population import Split
from audit_pipeline.data.stratify import stratified_sample


def split_of(groups: dict[str, list[str]], rows: int) -> Split:
    columns = {name: np.array(values) for name, values in groups.items()}
    return Split(np.zeros((rows, 1), np.float32), np.zeros(rows, np.int64), columns, None)


def test_a_minority_gets_as_many_rows_as_the_majority() -> None:
    split = split_of({"sex": ["f"] * 20 + ["m"] * 980}, 1000)
    drawn = stratified_sample(split, 20, seed=1)
    assert Counter(split.groups["sex"][drawn]) == {"f": 10, "m": 10}


def test_rows_a_small_group_lacks_go_to_the_others() -> None:
    split = split_of({"sex": ["f"] * 3 + ["m"] * 500 + ["x"] * 500}, 1003)
    drawn = stratified_sample(split, 101, seed=1)
    assert Counter(split.groups["sex"][drawn]) == {"f": 3, "m": 49, "x": 49}


def test_the_draw_is_over_the_intersection_of_all_columns() -> None:
    split = split_of({"sex": ["f", "m"] * 200, "age": ["old"] * 40 + ["young"] * 360}, 400)
    drawn = stratified_sample(split, 40, seed=3)
    pairs = Counter(zip(split.groups["sex"][drawn], split.groups["age"][drawn], strict=True))
    assert set(pairs.values()) == {10}


def test_equal_seeds_draw_equal_rows_and_others_do_not() -> None:
    split = split_of({"sex": ["f", "m"] * 200}, 400)
    assert np.array_equal(stratified_sample(split, 30, 1), stratified_sample(split, 30, 1))
    assert not np.array_equal(stratified_sample(split, 30, 1), stratified_sample(split, 30, 2))


def test_fewer_rows_than_strata_are_not_always_the_first_strata() -> None:
    split = split_of({"g": [str(n) for n in range(50)]}, 50)
    assert len({tuple(stratified_sample(split, 3, seed)) for seed in range(10)}) > 1


@pytest.mark.parametrize("rows", [400, 1000])
def test_asking_for_all_gives_all(rows: int) -> None:
    assert np.array_equal(stratified_sample(split_of({}, 400), rows, 0), np.arange(400))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(1, 60), st.integers(0, 5))
def test_no_two_strata_differ_by_more_than_one_unless_the_smaller_is_used_up(
    values: list[str], rows: int, seed: int
) -> None:
    split = split_of({"g": values}, len(values))
    drawn = stratified_sample(split, rows, seed)
    assert len(drawn) == min(rows, len(values))
    assert np.array_equal(drawn, np.unique(drawn))
    taken, there = Counter(split.groups["g"][drawn]), Counter(values)
    for smaller in there:
        for larger in there:
            assert taken[larger] <= taken[smaller] + 1 or taken[smaller] == there[smaller]
