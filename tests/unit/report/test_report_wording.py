"""Numbers and names in words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from audit_pipeline.measurement import GroupKey
from audit_pipeline.report import wording


@given(st.text())
def test_one_line_is_one_line_without_hidden_characters(text: str) -> None:
    line = wording.one_line(text)
    assert line
    assert len(line.splitlines()) == 1
    assert not [c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in "\u200c\u200d"]
    assert wording.one_line(line) == line


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z", "M"])))
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert wording.one_line(text) == (text or "(blank)")


@pytest.mark.parametrize("text", [unicodedata.normalize("NFD", "Việt Nam"), "שָּׁ֑לוֹם"])
def test_accents_that_scripts_use_are_kept(text: str) -> None:
    assert wording.one_line(text) == text


def test_a_pile_of_accents_is_cut() -> None:
    assert wording.one_line("e" + "\u0301" * 10_000 + "f") == "e" + "\u0301" * 5 + "\ufffdf"


def test_names_that_differ_by_a_hidden_character_still_differ() -> None:
    assert wording.one_line("F\u202e") != wording.one_line("F")


def test_characters_newer_than_this_python_are_kept() -> None:
    assert wording.one_line("\U0001fae8") == "\U0001fae8"


@given(st.text(min_size=1).map(wording.one_line), st.integers(5, 60))
def test_shortened_text_fits_and_keeps_what_fits(text: str, cells: int) -> None:
    short = wording.shortened(text, cells)
    assert cell_len(short) <= cells
    assert short == text if cell_len(text) <= cells and len(text) <= 4 * cells else "…" in short


def test_a_name_that_hides_behind_marks_without_width_is_shortened_too() -> None:
    assert len(wording.shortened("e" + "\u0301" * 10_000, 40)) < 100


@given(st.text(min_size=1), st.integers(1, 500), st.integers(5, 60))
def test_text_of_any_length_becomes_one_short_line(text: str, times: int, cells: int) -> None:
    short = wording.brief(text * times, cells)
    assert cell_len(short) <= cells
    assert len(short) <= 4 * cells
    assert wording.one_line(short) == short


def test_a_long_value_leaves_the_other_columns_of_its_group_in_sight() -> None:
    name = wording.group_name(GroupKey(by=("ward", "sex"), values=("x" * 10_000, "F")))
    assert name.startswith("ward=xxx")
    assert name.endswith("xxx, sex=F")
    assert len(name) < 70


@pytest.mark.parametrize(
    ("raw", "adjusted", "words"),
    [
        (0.012, 0.132, "p = 0.012, adjusted 0.13"),
        (1e-300, 0.0, "p <0.001, adjusted <0.001"),
        (1, 1, "p = 1, adjusted 1"),
    ],
)
def test_a_p_value_is_never_nought(raw: float, adjusted: float, words: str) -> None:
    assert wording.p_values(raw, adjusted).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0.000"), (1.0, "1.000"), (0.0001, "<0.001"), (0.9999, ">0.999"), (0.7241, "0.724"), (0.0005, "0.001")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value: float, words: str) -> None:
    assert wording.proportion(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.02, "0.02"), (0.0125, "0.0125"), (1, "1"), (0.00001, "1e−05")])
def test_a_limit_is_shown_as_it_was_set(value: float, words: str) -> None:
    assert wording.limit(value) == words


@pytest.mark.parametrize(
    ("value", "noun", "words"),
    [(1, "person", "1 person"), (8, "person", "8 people"), (46, "entry", "46 entries"), (1204, "row", "1,204 rows")],
)
def test_a_noun_follows_its_number(value: int, noun: str, words: str) -> None:
    assert wording.count(value, noun) == words


@pytest.mark.parametrize(("value", "words"), [(1, "1 byte"), (1023, "1,023 bytes"), (27_720, "27.1 KiB")])
def test_bytes_become_kibibytes(value: int, words: str) -> None:
    assert wording.size(value) == words
