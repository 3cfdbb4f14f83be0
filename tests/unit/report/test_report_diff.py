"""A diff on a screen and in a comment: what got worse comes first, and what does not fit is counted."""

from __future__ import annotations

import io

import pytest
from diff_sample import (
    ACCURACY,
    ERROR,
    EVERYBODY,
    RECALL,
    SURELY_MIXED,
    WOMEN,
    comparison,
    exemplars,
    row,
    sample,
    standing_out,
)
from rich.console import Console

from audit_pipeline.differences import Diff
from audit_pipeline.measurement import GroupKey, MetricKey
from audit_pipeline.policy_part import PolicyEdit
from audit_pipeline.report.diff_markdown import MOST_BYTES, render_diff_markdown
from audit_pipeline.report.diff_terminal import MOST_WORSE, render_diff_terminal

LONG = MetricKey(name="missed_alarm_rate", class_="ventricular", higher_is_better=False)
MANY = [
    row(GroupKey(by=("site", "age_band"), values=(f"clinic {n}", "65-119")), comparison(LONG, 0.1, 0.5, 0.01))
    for n in range(500)
]


def screen(diff: Diff, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(render_diff_terminal(diff))
    return stream.getvalue()


def test_the_worst_stands_first() -> None:
    text = screen(sample(SURELY_MIXED))
    assert text.index("0.940 → 0.660") < text.index("0.940 → 0.900") < text.index("0.900 → 0.930")
    said = "Of 5 comparisons, 2 got surely worse and 1 surely better; 2 show no sure change, 1 could not be made."
    assert said in " ".join(text.split())
    assert "WORSE AND BETTER" in text
    assert "SYNTHETIC DATA" in text


def test_what_is_not_sure_is_shown_and_marked() -> None:
    [line] = [line for line in screen(sample(SURELY_MIXED)).splitlines() if "0.880" in line]
    assert line.rstrip().endswith("?")


def test_a_screen_is_enough_for_500_groups_and_counts_the_rest() -> None:
    lines = screen(sample(MANY, exemplars(*(standing_out(each.group, 0.01) for each in MANY)))).splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80
    assert any(f"{500 - MOST_WORSE} more got surely worse" in line for line in lines)
    assert any("499 more groups" in line for line in lines)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([row(WOMEN, comparison(RECALL, 0.9, 0.8, 0.01))], "WORSE"),
        ([row(WOMEN, comparison(RECALL, 0.8, 0.9, 0.01))], "BETTER"),
        ([row(WOMEN, comparison(RECALL, 0.9, 0.9, 1.0))], "NO SURE CHANGE"),
        ([], "NO SURE CHANGE"),
    ],
)
def test_both_say_the_same_word(rows: list, word: str) -> None:
    diff = sample(rows)
    assert screen(diff).startswith(f" {word} ")
    assert render_diff_markdown(diff).startswith(f"## {word}: autumn → winter\n")


def test_a_number_keeps_its_unit() -> None:
    text = screen(sample([row(EVERYBODY, comparison(ERROR, 4.0, 9.25, 0.01), comparison(ACCURACY, 0.9, 0.8, 0.01))]))
    assert "4.00 → 9.25" in text
    assert "+5.25" in text


def test_markdown_has_both_p_values_and_the_interval() -> None:
    text = render_diff_markdown(sample(SURELY_MIXED))
    assert "| sex=female | recall of V | 400 | 20 | 0.940 (0.890 to 0.990) | 0.660 (0.610 to 0.710) |" in text
    assert "| +0.280 (+0.230 to +0.330) | &lt;0.001 | 0.001 |" in text


def test_markdown_names_groups_with_more_than_their_share() -> None:
    found = exemplars(standing_out(WOMEN, 0.01), standing_out(EVERYBODY, 0.5))
    text = render_diff_markdown(sample(SURELY_MIXED, found))
    assert "- sex=female: 20.0% of its rows, 5.0% of all others" in text
    assert "- overall" not in text
    assert "40 of 400 rows changed class: 30 lost (right before, wrong now), 8 gained, 2 wrong both times." in text


@pytest.mark.parametrize(
    "value", ["x" * 10_000, "😀" * 10_000, "<b>|`&" * 2_000, "ä\N{COMBINING DIAERESIS}" * 5_000, "\n"]
)
def test_a_comment_stays_below_githubs_limit_whatever_groups_are_called(value: str) -> None:
    rows = [
        row(GroupKey(by=("a", "b", "c"), values=(f"{n}{value}", value, value)), comparison(RECALL, 0.9, 0.5, 0.01))
        for n in range(300)
    ]
    found = exemplars(*(standing_out(each.group, 0.01) for each in rows))
    text = render_diff_markdown(sample(rows, found, name=f"winter|{value}"))
    assert len(text.encode()) <= MOST_BYTES
    assert "more comparisons: see `audit diff --json`" in text
    assert "<b>" not in text
    assert "\r" not in text
    assert screen(sample(rows, found))


def test_no_name_speaks_markup_to_the_terminal() -> None:
    rows = [row(GroupKey(by=("site",), values=("[red]\x1b[2J",)), comparison(RECALL, 0.9, 0.5, 0.01))]
    text = screen(sample(rows))
    assert "site=[red]\N{REPLACEMENT CHARACTER}[2J" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("trials", [None, 24])
def test_recipes_are_shown_where_they_differ(trials: int | None) -> None:
    diff = sample(SURELY_MIXED)
    after = diff.after.model_copy(
        update={"recipe": ("cluster: 8 values a layer at most", "quantize"), "trials": trials}
    )
    differing = diff.model_copy(update={"after": after})
    found = "found in 24 trials: " if trials else ""
    assert "recipe before: quantize: int8, 500 calibration rows" in screen(differing)
    assert f"recipe after: {found}" in screen(differing)
    assert f"- Recipe after: {found}cluster: 8 values a layer at most; quantize\n" in render_diff_markdown(differing)
    assert "recipe" not in (screen(diff) + render_diff_markdown(diff)).lower()


def test_a_finished_model_has_no_recipe_to_differ_in_but_to_have_none() -> None:
    diff = sample(SURELY_MIXED)
    differing = diff.model_copy(update={"after": diff.after.model_copy(update={"recipe": ()})})
    assert "recipe after: came finished" in screen(differing)


def test_a_policy_that_was_loosened_in_between_is_said_and_who_answers() -> None:
    edits = [
        PolicyEdit(path=f"fairness.recall[{name}].min", groups=("sex",), before=0.9, after=0.8, effect="loosened")
        for name in ("V", "S")
    ]
    edits.append(PolicyEdit(path="statistics.confidence", before=0.9, after=0.95, effect="tightened"))
    diff = sample(SURELY_MIXED)
    after = diff.after.model_copy(update={"responsible": {"missed_alarm": "the maker", "false_alarm": "the clinic"}})
    diff = diff.model_copy(update={"policy_edits": tuple(edits), "after": after})
    assert "policy loosened: least recall of V, in sex: 0.9 → 0.8 and 1 more" in screen(diff)
    text = render_diff_markdown(diff)
    assert text.index("- **loosened**: least recall of V, in sex: 0.9 → 0.8") < text.index("### Surely worse")
    assert "- tightened: confidence of every interval: 0.9 → 0.95" in text
    assert "Who answers, by the policy of the second: false alarm: the clinic; missed alarm: the maker." in text


def test_many_edits_of_a_policy_are_counted() -> None:
    edits = tuple(PolicyEdit(path=f"approvals.r{n}", before=2, after=1, effect="loosened") for n in range(300))
    diff = sample(MANY, exemplars(*(standing_out(each.group, 0.01) for each in MANY)))
    diff = diff.model_copy(update={"policy_edits": edits})
    assert "and 290 more changes" in render_diff_markdown(diff)
    lines = screen(diff).splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80
