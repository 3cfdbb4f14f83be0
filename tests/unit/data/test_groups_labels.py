from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.data.groups import bin_label, group_values
from audit_pipeline.data.labels import class_indices
from audit_pipeline.data.values import Values, spelt


def column(*values: object) -> Values:
    return Values.of(list(values), np.arange(len(values)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), (np.float32(0.1), "0.1"), (0.25, "0.25"), (-0.0, "0"), (1e300, "1e+300"), (np.int8(-3), "-3"),
        ("1.0", "1.0"), (" a ", " a "), (b"caf\xc3\xa9", "café"), (True, "true"), (np.bool_(False), "false"),
        (None, None), (float("nan"), None), ("", None), (np.datetime64("NaT"), None),
        (np.datetime64("2024-05-01"), "2024-05-01"), (2**53, "9007199254740992"), (float(2**53), "9007199254740992"),
    ],
)  # fmt: skip
def test_a_value_has_one_spelling(value: object, text: str | None) -> None:
    assert spelt(value) == text


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_is_spelt_alike_as_integer_and_as_float(number: int) -> None:
    assert spelt(number) == spelt(float(number)) == str(number)


EDGES = st.lists(st.integers(0, 50), min_size=2, max_size=6, unique=True).map(sorted)


@given(EDGES, st.lists(st.floats(0, 50), min_size=1, max_size=20))
def test_bins_are_half_open_as_pandas_cuts_them(edges: list[int], numbers: list[float]) -> None:
    inside = [number for number in numbers if edges[0] <= number < edges[-1]]
    labels = [bin_label(low, high, whole=True) for low, high in pairwise(edges)]
    expected = pd.cut(inside, edges, right=False, labels=labels)
    assert group_values(column(*inside), edges).tolist() == list(expected)


@pytest.mark.parametrize(
    ("bins", "labels"),
    [
        ((0, 45, 65), ["0-44", "45-64"]),
        ((5, 6, 8), ["5", "6-7"]),
        ((0, 0.5, 1), ["[0, 0.5)", "[0.5, 1)"]),
        ((-10, 0, 10), ["[-10, 0)", "[0, 10)"]),
    ],
)
def test_bins_are_labelled_as_people_read_them(bins: tuple[float, ...], labels: list[str]) -> None:
    assert group_values(column(*bins[:-1]), bins).tolist() == labels


def test_values_of_whole_bins_may_lie_between_whole_numbers() -> None:
    assert group_values(column(44.99, "45", None), (0, 45, 65)).tolist() == ["0-44", "45-64", "unknown"]


def test_a_missing_value_and_the_word_unknown_are_one_group() -> None:
    assert group_values(column("unknown", None, "a"), None).tolist() == ["unknown", "unknown", "a"]


@pytest.mark.parametrize("labels", [("V", "N", "V"), (1, 0, 1), (1.0, 0.0, 1.0), ("1", "0", "1"), ("V", 0, "1")])
def test_labels_are_names_or_indices(labels: tuple[object, ...]) -> None:
    assert class_indices(column(*labels), ["N", "V"]).tolist() == [1, 0, 1]


def test_where_classes_are_named_by_numbers_labels_are_names() -> None:
    assert class_indices(column(1, "2", 3.0), ["1", "2", "3"]).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="row 0 has the label 0"):
        class_indices(column(0), ["1", "2", "3"])


def test_a_long_value_is_told_by_its_beginning_its_length_and_a_digest() -> None:
    long, other = "x" * 10_000, "x" * 9_999 + "y"
    found = group_values(column(long, other, "x" * 200, long), None).tolist()
    assert found[0].startswith("x" * 100 + "… (10000 characters, SHA-256 ")
    assert max(map(len, found)) <= 200
    assert found[0] == found[3] != found[1]
    assert found[2] == "x" * 200


def test_a_thousand_groups_of_a_column_are_taken_and_more_are_not() -> None:
    assert len(set(group_values(column(*range(1000)), None))) == 1000
    with pytest.raises(ValueError, match="1001 different values, more than 1000: give bins"):
        group_values(column(*range(1001)), None)
