"""The picture of a search: to scale, every mark in it, and words that cover nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_sample import make_evidence
from report_search import TRIALS, make_search, trial

from audit_pipeline.evidence import TrialPart
from audit_pipeline.report import palette
from audit_pipeline.report.front import ABOVE, CIRCLE, DIAMOND, NARROW, SQUARE, WIDE, Front, draw_front
from audit_pipeline.report.labels import Box, Wish, place

DATA = make_evidence().data


def drawn(*trials: TrialPart) -> Front:
    figure = draw_front(make_search(trials or TRIALS), DATA)
    assert figure is not None
    return figure.wide


def test_marks_lie_where_their_size_and_loss_are() -> None:
    front = drawn(trial(0, 10, 0.0, -0.1), trial(1, 20, 0.04, -0.1), trial(2, 14, 0.01, -0.1))
    x = {tick.text: tick.at for tick in front.across}
    y = {tick.text: tick.at for tick in front.up}
    assert {(mark.x, mark.y) for mark in front.marks} == {
        (x["10"], y["0"]),
        (x["20"], y["0.04"]),
        (x["14"], y["0.01"]),
    }
    assert y["0"] > y["0.04"]
    assert x["10"] < x["20"]


def test_what_keeps_the_rules_what_does_not_and_what_was_not_measured_differ_in_shape_and_colour() -> None:
    marks = drawn(trial(0, 10, 0.01, -0.1), trial(1, 11, 0.02, 0.1), trial(2, 12, 0.01, None)).marks
    assert {(mark.shape, mark.colour) for mark in marks} == {
        (CIRCLE, palette.PASS),
        (DIAMOND, palette.FAIL),
        (SQUARE, palette.UNRULED),
    }


def test_the_front_is_a_staircase_through_its_trials_and_its_marks_are_filled() -> None:
    front = drawn(
        trial(0, 10, 0.04, -0.1, on_front=True),
        trial(1, 20, 0.01, -0.1, on_front=True),
        trial(2, 15, 0.05, -0.1),
    )
    (left, high), (right, low) = sorted((mark.x, mark.y) for mark in front.marks if mark.is_filled)
    field = WIDE.field
    corners = [(left, field.top), (left, high), (right, high), (right, low), (field.right, low)]
    assert front.staircase == " ".join(f"{x:g},{y:g}" for x, y in corners)
    assert drawn(trial(0, 10, 0.01, -0.1)).staircase == ""


def test_what_was_chosen_and_plain_int8_are_named_and_the_front_is_numbered() -> None:
    words = {label.text: label.strong for label in drawn().labels}
    assert words == {"3: chosen": True, "0: plain int8": True, "1": False, "2": False, "4": False, "6": False}


def test_trials_in_one_place_share_a_label() -> None:
    same = [trial(number, 12, 0.01, -0.1, on_front=True, chosen=number == 3) for number in range(8)]
    assert [label.text for label in drawn(*same).labels] == ["0, 1, 2, 3 +4: chosen"]


def test_losses_far_beyond_what_counts_stand_at_the_edge_and_are_told() -> None:
    figure = draw_front(make_search(), DATA)
    assert figure is not None
    edge = [mark for mark in figure.wide.marks if mark.shape == ABOVE]
    assert {mark.y for mark in edge} == {WIDE.field.top}
    assert f"Triangles at the upper edge: {len(edge)} trials that lost more, up to +0.310." in figure.note
    assert "2 trials could not be made or measured and have no mark." in figure.note


def test_where_nothing_counts_everything_is_drawn_to_scale() -> None:
    front = drawn(trial(1, 10, 0.5, 0.4, on_front=True), trial(2, 20, 0.02, 0.01, on_front=True))
    assert ABOVE not in {mark.shape for mark in front.marks}


def test_without_sizes_or_losses_there_is_no_picture() -> None:
    assert draw_front(make_search((TRIALS[9], TRIALS[10])), DATA) is None
    assert draw_front(make_search(()), DATA) is None


def test_those_who_do_not_see_it_are_told_the_front_and_what_was_chosen() -> None:
    figure = draw_front(make_search(), DATA)
    assert figure is not None
    assert "Trial 4: 15,257 bytes, worst loss +0.031 in sex=F, age_band=65-119." in figure.description
    assert "Chosen is trial 3: 15,872 bytes, worst loss +0.019" in figure.description
    assert "Plain int8 is trial 0" in figure.description


def test_the_page_holds_it_twice_as_an_image_with_a_name(searched_page: str) -> None:
    pictures = [Xml.fromstring(each) for each in re.findall(r"<svg [^>]*role=\"img\".*?</svg>", searched_page, re.S)]
    own = [each for each in pictures if "front-" in each.get("aria-labelledby", "")]
    assert [each.get("viewBox") for each in own] == ["0 0 720 380", "0 0 360 360"]
    known = {colour.light for colour in palette.ALL.values()} | {"none", None}
    for element in (element for picture in own for element in picture.iter()):
        assert {element.get("fill"), element.get("stroke")} <= known


finite = st.floats(-0.5, 0.9, allow_subnormal=False)
some_trial = st.tuples(st.integers(1, 2_000_000), finite, st.none() | finite, st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(some_trial, min_size=1, max_size=30), st.integers(0, 29))
def test_every_mark_and_word_lies_in_the_picture_and_no_word_covers_a_mark(
    numbers: list[tuple[int, float, float | None, bool]], chosen: int
) -> None:
    trials = tuple(
        trial(n, 1, drop, violation, size_bytes=size, on_front=front, chosen=n == chosen % len(numbers))
        for n, (size, drop, violation, front) in enumerate(numbers)
    )
    figure = draw_front(make_search(trials), DATA)
    assert figure is not None
    for front, canvas in ((figure.wide, WIDE), (figure.narrow, NARROW)):
        field = canvas.field
        assert all(field.left <= mark.x <= field.right and field.top <= mark.y <= field.bottom for mark in front.marks)
        assert len(front.marks) == len(numbers)
        assert 2 <= len(front.across) <= 13
        assert 2 <= len(front.up) <= 13
        for label in front.labels:
            assert 0 <= label.x <= canvas.width
            if not label.strong:
                assert not any(abs(mark.x - label.x) < 4 and abs(mark.y - label.y) < 4 for mark in front.marks)


FIELD = Box(0, 0, 200, 100)


def test_a_word_goes_where_there_is_room() -> None:
    [free] = place([Wish(100, 50, 5, "7")], [], FIELD, 12)
    assert (free.anchor, free.y > 50) == ("end", True)
    [left_edge] = place([Wish(2, 50, 5, "a long word")], [], FIELD, 12)
    assert left_edge.anchor == "start"
    [bottom] = place([Wish(100, 98, 5, "7")], [], FIELD, 12)
    assert bottom.y < 98


def test_a_word_without_room_is_left_out_unless_it_must_stand() -> None:
    full = [FIELD]
    assert place([Wish(100, 50, 5, "7")], full, FIELD, 12) == []
    [forced] = place([Wish(100, 50, 5, "chosen", strong=True)], full, FIELD, 12)
    assert forced.text == "chosen"


@pytest.mark.parametrize("count", [2, 5, 9])
def test_words_do_not_cover_each_other(count: int) -> None:
    labels = place([Wish(100, 50, 5, "12") for _ in range(count)], [], FIELD, 12)
    places = {(label.x, label.y, label.anchor) for label in labels}
    assert len(places) == len(labels)
