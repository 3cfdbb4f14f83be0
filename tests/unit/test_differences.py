"""What a diff calls surely worse, surely better, and neither."""

from __future__ import annotations

import pytest
from diff_sample import (
    ACCURACY,
    ERROR,
    EVERYBODY,
    MEN,
    RECALL,
    SURELY_MIXED,
    WOMEN,
    comparison,
    row,
    sample,
)
from pydantic import ValidationError

from audit_pipeline.differences import Diff, sort_out


def test_only_a_small_adjusted_p_makes_a_change_sure() -> None:
    diff = sample(SURELY_MIXED)
    assert [(shift.group, shift.comparison.metric) for shift in diff.worse] == [(WOMEN, RECALL), (EVERYBODY, RECALL)]
    assert [(shift.group, shift.comparison.metric) for shift in diff.better] == [(EVERYBODY, ACCURACY)]
    assert (diff.undecided, diff.not_comparable, diff.compared) == (2, 1, 5)


def test_the_level_decides_what_is_sure() -> None:
    rows = [row(WOMEN, comparison(RECALL, 0.9, 0.8, 0.02))]
    assert sort_out(rows, 0.95).worse
    assert not sort_out(rows, 0.99).worse


def test_a_change_of_nothing_is_never_sure() -> None:
    found = sort_out([row(WOMEN, comparison(RECALL, 0.9, 0.9, 0.001))], 0.95)
    assert (found.worse, found.better, len(found.undecided)) == ((), (), 1)


def test_errors_count_as_worse_where_they_rise_and_stand_behind_shares() -> None:
    rows = [
        row(MEN, comparison(ERROR, 4.0, 9.0, 0.01), comparison(RECALL, 0.9, 0.8, 0.01)),
        row(WOMEN, comparison(ERROR, 9.0, 4.0, 0.01), comparison(RECALL, 0.9, 0.5, 0.01)),
    ]
    found = sort_out(rows, 0.95)
    assert [(shift.group, shift.comparison.metric) for shift in found.worse] == [
        (WOMEN, RECALL),
        (MEN, RECALL),
        (MEN, ERROR),
    ]
    assert [shift.worsening for shift in found.better] == [-5.0]


def test_what_is_not_sure_stands_by_the_size_of_the_harm() -> None:
    rows = [row(group, comparison(RECALL, 0.9, after, 0.5)) for group, after in ((MEN, 0.95), (WOMEN, 0.7))]
    assert [shift.group for shift in sort_out(rows, 0.95).undecided] == [WOMEN, MEN]


def test_the_document_reads_back_and_takes_nothing_else() -> None:
    diff = sample(SURELY_MIXED)
    assert Diff.model_validate_json(diff.model_dump_json(by_alias=True)) == diff
    with pytest.raises(ValidationError):
        Diff.model_validate({**diff.model_dump(by_alias=True), "surprise": 1})
