"""Whom the compression changed, in words."""

from __future__ import annotations

from typing import Any

from report_findings import make_exemplars
from report_sample import GROUPS

from audit_pipeline.report import exemplars

FOUND = make_exemplars(GROUPS[1:])


def changed(**updates: Any) -> str:
    return exemplars.tally(FOUND.model_copy(update=updates))


def test_the_tally_accounts_for_every_changed_row() -> None:
    assert exemplars.tally(FOUND) == (
        "Compression changed the class of 612 of 12,884 rows (4.8%): 590 lost (right before, wrong now), "
        "12 gained (wrong before, right now), 10 wrong both times."
    )
    assert "both times" not in changed(changed=602)
    assert changed(changed=0, lost=0, gained=0) == "Compression changed the class of 0 of 12,884 rows (0.0%)."


def test_the_rows_that_are_left_out_are_counted() -> None:
    assert exemplars.about_the_rows(FOUND).startswith("The 20 most harmed")
    assert "evidence.json lists 30" in exemplars.about_the_rows(FOUND)
    few = FOUND.model_copy(update={"changed": 3, "listed": FOUND.listed[:3]})
    assert exemplars.about_the_rows(few).startswith("All of them, the most harmed first")
    assert "lists" not in exemplars.about_the_rows(few)


def test_a_group_has_no_ratio_where_nothing_else_changed() -> None:
    assert [exemplars.ratio(group) for group in FOUND.groups[:3]] == ["3.00", "1.50", "–"]


def test_only_a_group_beyond_chance_is_named_in_the_headline() -> None:
    assert exemplars.headline(FOUND).endswith("gained, 10 neither; 3.00 times as often in sex=F")
    by_chance = [group.model_copy(update={"adjusted_p": 0.3}) for group in FOUND.groups]
    assert exemplars.headline(FOUND.model_copy(update={"groups": tuple(by_chance)})).endswith("12 gained, 10 neither")


def test_a_lost_score_has_the_digits_it_needs() -> None:
    assert exemplars.shift(FOUND.listed[0]) == "+0.980"
    assert exemplars.shift(FOUND.listed[0].model_copy(update={"shift": 0.00123})) == "+0.00123"
