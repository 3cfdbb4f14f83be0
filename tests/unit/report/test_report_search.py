"""A search in the report: what was chosen and by what, every trial, and nothing claimed that was not measured."""

from __future__ import annotations

import io
from html import unescape

import pytest
from markdown_it import MarkdownIt
from report_hostile import HOSTILE
from report_sample import make_evidence
from report_search import PLAIN, TRIALS, make_search, make_searched, trial
from report_tasks import make_anomaly, make_regression
from rich.console import Console

from audit_pipeline.evidence import Evidence, SearchPart
from audit_pipeline.measurement import GroupKey, Outcome
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.search import (
    finalists,
    is_plain_int8,
    others,
    summarise,
    trial_line,
    verdict,
    what_is_lost,
)
from audit_pipeline.report.terminal import render_terminal
from audit_pipeline.report.wording import group_name, one_line

NO_RULE_KEPT = tuple(each.model_copy(update={"violation": 0.1 if each.violation else None}) for each in TRIALS)
CHOSEN_BREAKS = tuple(each.model_copy(update={"chosen": each.number == 4}) for each in TRIALS)
DATA = make_evidence().data


def hostile_search() -> SearchPart:
    return make_search(
        tuple(
            trial(
                number,
                10 + number,
                0.01 * number,
                -0.01,
                label=name,
                reason=name,
                lifted=(name,),
                worst_group=GroupKey(by=("sex",), values=(name,)),
                on_front=True,
                chosen=number == 3,
                round=number % 3,
            )
            for number, name in enumerate(HOSTILE)
        ),
        rounds=HOSTILE,
        chosen_by=HOSTILE[0],
    )


def screen(evidence: Evidence, width: int = 80) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(render_terminal(evidence))
    return stream.getvalue().rstrip("\n").split("\n")


def test_a_run_without_a_search_has_no_section_of_one() -> None:
    evidence = make_evidence()
    assert 'id="search"' not in render_html(evidence)
    assert "The search that found" not in render_markdown(evidence)
    assert "trials" not in "\n".join(screen(evidence))


def test_page_and_markdown_say_what_was_chosen_by_what_and_what_was_not_looked_at(searched_page: str) -> None:
    for document in (searched_page, render_markdown(make_searched())):
        assert "12 recipes were tried in 3 rounds." in document
        assert "Trial 3 was chosen: 15,872 bytes, worst loss +0.019 in sex=F, age_band=65-119." in document
        assert "quantized to int8 and nothing else is trial 0: 27,750 bytes, worst loss +0.012" in document
        assert "It keeps every fairness rule of the policy on the rows it was chosen by." in document
        assert "people of the train split that no trial trained on" in document
        assert (
            "and the calibration split, together 14,210 rows of 9 people. Candidates were run over them 31" in document
        )
        assert "The evaluation split was not looked at" in document
        assert "time limit" not in document


def test_every_trial_stands_in_a_table_and_those_that_ended_early_are_folded(searched_page: str) -> None:
    shown, folded = searched_page.split("<details>")
    assert "5 trials that ended earlier" in folded
    for each in TRIALS:
        line = trial_line(each, DATA)
        assert line.reason in (folded if each in others(make_search()) else shown)
        assert line.flash in (folded if each in others(make_search()) else shown)
    tokens = MarkdownIt().enable("table").parse(render_markdown(make_searched()))
    assert all(each.reason in "\n".join(token.content for token in tokens) for each in TRIALS)


def test_what_counts_stands_by_size_and_the_rest_by_how_far_it_came() -> None:
    search = make_search()
    assert [each.number for each in finalists(search)] == [6, 4, 3, 5, 2, 1, 0]
    assert [each.number for each in others(search)] == [7, 8, 11, 9, 10]


def test_a_round_in_which_operators_were_lifted_does_not_hide_the_one_before() -> None:
    lifted = trial(12, 16, 0.01, -0.01, round=3, lifted=("conv",))
    assert [each.number for each in finalists(make_search((*TRIALS, lifted)))] == [6, 4, 3, 12, 5, 2, 1, 0]


def test_a_trial_says_how_far_from_the_rules_it_is() -> None:
    kept, broken, unmade = (trial_line(TRIALS[number], DATA) for number in (1, 5, 10))
    assert (kept.rules, kept.loss, kept.group) == ("kept, 0.006 to spare", "+0.014", "sex=F, age_band=65-119")
    assert broken.rules == "broken by 0.024"
    assert (unmade.rules, unmade.loss, unmade.flash, unmade.device, unmade.group) == ("–", "–", "–", (), "")


def test_a_loss_below_zero_is_a_gain_and_keeps_its_sign() -> None:
    assert trial_line(trial(1, 9, -0.02, -0.05), DATA).loss == "−0.020"


def test_losses_of_a_regression_have_the_unit_of_the_labels() -> None:
    data = make_regression().data
    said = summarise(make_search((trial(1, 9, 0.4, -0.1, chosen=True),)), data)
    assert "worst loss +0.400 beats/min in" in said
    assert "rise of the mean absolute error in beats/min" in render_markdown(
        make_regression().model_copy(update={"candidate": make_searched().candidate})
    )


def test_anomaly_scores_lose_auc() -> None:
    assert what_is_lost(make_anomaly().data) == "loss of AUC"


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (make_search(NO_RULE_KEPT, keeps_rules=False), "No trial keeps every fairness rule"),
        (make_search(keeps_rules=False), "no further than the float model"),
        (make_search(CHOSEN_BREAKS, keeps_rules=False), "It does not keep every fairness rule"),
    ],
)
def test_broken_rules_are_said_plainly(search: SearchPart, words: str) -> None:
    assert words in verdict(search)
    assert words in render_markdown(make_searched(search))
    assert any("rules broken on 14,210 rows" in line for line in screen(make_searched(search)))


def test_a_search_that_ran_out_of_time_says_so() -> None:
    search = make_search(complete=False)
    assert "until the time limit ended the search" in summarise(search, DATA)
    assert any("12 trials, out of time" in line for line in screen(make_searched(search)))


def test_one_trial_and_none_chosen_are_said_in_words() -> None:
    one = TRIALS[0].model_copy(update={"chosen": True})
    said = summarise(make_search((one,), rounds=("all",)), DATA)
    assert said.startswith("1 recipe was tried in 1 round. Trial 0 was chosen")
    assert said.endswith("It is the source, quantized to int8 and nothing else.")
    assert summarise(make_search((TRIALS[10],)), DATA).endswith("None was chosen.")
    assert "there is no picture" in render_html(make_searched(make_search((TRIALS[10],))))
    assert any("none chosen" in line for line in screen(make_searched(make_search((TRIALS[10],)))))


@pytest.mark.parametrize(
    ("recipe", "is_plain"),
    [
        ((PLAIN,), True),
        (({"quantize": {}},), True),
        (({"quantize": {"scheme": "int16x8"}},), False),
        (({"quantize": {"scheme": "int8", "aware": {"epochs": 1}}},), False),
        (({"prune_neurons": {"ratio": 0.5}}, PLAIN), False),
        (({"quantize": "int8"},), False),
        ((), False),
    ],
)
def test_plain_int8_is_the_recipe_that_only_quantizes_to_int8(
    recipe: tuple[dict[str, object], ...], is_plain: bool
) -> None:
    assert is_plain_int8(recipe) is is_plain


def test_the_terminal_gives_a_search_two_lines_and_every_step_one() -> None:
    for outcome in Outcome:
        lines = screen(make_searched(outcome=outcome))
        assert len(lines) <= 32
        assert max(map(len, lines)) <= 80
        first = next(number for number, line in enumerate(lines) if line.startswith("search"))
        assert "12 trials, rules kept on 14,210 rows; plain int8: 27,750 bytes, +0.012" in lines[first]
        assert "chosen: 15,872 bytes, worst loss +0.019 in sex=F, age_band=65-119" in lines[first + 1]
        steps = [line[9:].split(":")[0] for line in lines[first - 3 : first]]
        assert steps == ["prune_neurons", "fine_tune", "quantize"]


def test_the_terminal_counts_the_steps_it_leaves_out() -> None:
    evidence = make_searched()
    steps = evidence.candidate.steps * 3
    many = evidence.model_copy(update={"candidate": evidence.candidate.model_copy(update={"steps": steps})})
    assert any("and 6 more steps in the report" in line for line in screen(many))


def test_hostile_names_leave_page_markdown_and_terminal_whole() -> None:
    evidence = make_searched(hostile_search())
    page, markdown = render_html(evidence), render_markdown(evidence)
    assert "<script" not in page
    assert "<img" not in page
    tokens = MarkdownIt().enable("table").parse(markdown)
    assert not [token for token in tokens if token.type == "html_block"]
    for name in HOSTILE:
        assert group_name(GroupKey(by=("sex",), values=(name,))) in unescape(page)
    assert one_line(HOSTILE[0]) in unescape(page)
    lines = screen(evidence)
    assert "\x1b" not in "\n".join(lines)
    assert len(lines) <= 36


def test_a_thousand_trials_are_counted_in_markdown_and_whole_on_the_page() -> None:
    trials = tuple(trial(number, 10 + number / 100, 0.01, -0.01, chosen=number == 0) for number in range(1000))
    evidence = make_searched(make_search(trials))
    assert "and 940 more trials in evidence.json" in render_markdown(evidence)
    page = render_html(evidence)
    assert page.count("went on to the last round") == 1000
    assert len(page.encode()) < 2_000_000
