"""Numbers for columns, against numpy's sorting of the values themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.evaluate import factorise
from audit_pipeline.evaluate.factorise import number_rows, number_texts

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def check_texts(column: np.ndarray) -> None:
    values, codes = number_texts(column)
    expected_values, expected_codes = np.unique(column, return_inverse=True)
    assert values.tolist() == expected_values.tolist()
    assert codes.tolist() == expected_codes.tolist()


@given(st.lists(st.sampled_from(["a", "b", "", "é", "🫀"]) | WORDS, max_size=60))
def test_texts_are_numbered_in_sorted_order(words: list[str]) -> None:
    check_texts(np.array(words, dtype=np.str_))


def test_columns_of_any_layout_are_numbered() -> None:
    words = np.array(["gamma", "alpha", "beta", "alpha"] * 50)
    for column in (
        words[::-3],
        words.astype(">U5"),
        words.astype("U90"),
        np.array([""] * 4),
        np.array(["x" * 10_000, "y"]),
    ):
        check_texts(column)


def test_texts_that_share_a_digest_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factorise, "_digests", lambda texts: np.zeros(len(texts), np.uint64))
    check_texts(np.array(["b", "a", "c", "a"]))


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.sampled_from([1, 2, 3, 50, 4_000_000_000]), min_size=1, max_size=12),
    rows=st.integers(1, 80),
)
def test_combinations_are_numbered_in_lexicographic_order(seed: int, sizes: list[int], rows: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [(size, rng.integers(0, size, rows)) for size in sizes]
    size, codes = number_rows(columns, rows)
    distinct, expected = np.unique(np.stack([c for _, c in columns], 1), axis=0, return_inverse=True)
    assert size == len(distinct)
    assert codes.tolist() == expected.tolist()


def test_without_rows_or_columns_there_is_nothing_to_tell_apart() -> None:
    assert number_rows([], 0)[0] == 0
    size, codes = number_rows([], 3)
    assert (size, codes.tolist()) == (1, [0, 0, 0])
    assert number_rows([(4, np.zeros(0, np.int64))], 0)[0] == 0
