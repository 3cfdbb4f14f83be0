"""Did anything change, for whom: McNemar where rows are independent, sign flips of people where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from stage import ALARMS, evaluate, labels, people_of, population_of, rule, split_of, three_classes, values

from audit_pipeline.evaluate.answers import Answers, GroupAnswers, GroupTable, Moved
from audit_pipeline.evaluate.changes import Changes, find_changes
from audit_pipeline.measurement import GroupKey, MetricKey
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.paired_share import PairedShare
from audit_pipeline.statistics.tally import PairedTally


def p_of(changes: Changes, name: str, group: GroupKey | None = None, class_: str | None = None) -> float:
    key = group or GroupKey()
    return next(c.p for (at, m), c in changes.items() if (at, m.name, m.class_) == (key, name, class_))


def test_rows_without_names_are_tested_by_mcnemar_and_adjusted_by_holm() -> None:
    before, after, split = three_classes(300, named=False)
    changes = evaluate(before, after, population_of(split), (), ("sex",)).changes
    right, still = before.labels == split.y, after.labels == split.y
    for group, mask in (*split.members("overall"), *split.members("sex")):
        worse, better = int((right & ~still & mask).sum()), int((~right & still & mask).sum())
        assert p_of(changes, "accuracy", group) == pytest.approx(binomtest(worse, worse + better).pvalue)
    assert [change.adjusted_p for change in changes.values()] == pytest.approx(holm([c.p for c in changes.values()]))
    assert {change.method for change in changes.values()} == {"McNemar 1947, exact; Holm 1979"}


def test_few_people_are_flipped_in_every_way() -> None:
    """Four people, each with rows that got worse: as unlikely as four heads or four tails, 2 in 16."""
    people = np.repeat(["a", "b", "c", "d"], 10)
    after = labels(np.tile([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], 4))
    found = evaluate(labels(np.zeros(40)), after, population_of(split_of(np.zeros(40, int), people)))
    change = next(change for (_, metric), change in found.changes.items() if metric.name == "accuracy")
    assert change.p == pytest.approx(2 / 16)
    assert change.method == "all sign flips by subject; step-down max-T, Westfall & Young 1993"


def test_one_person_with_many_changed_rows_proves_nothing() -> None:
    people = np.repeat(["a", "b"], [50, 50])
    after = labels(np.repeat([1, 0], [50, 50]))
    found = evaluate(labels(np.zeros(100)), after, population_of(split_of(np.zeros(100, int), people)))
    assert p_of(found.changes, "accuracy") == 1.0


def test_what_many_people_suffered_is_found_and_what_nobody_did_is_not() -> None:
    people = people_of(np.repeat(np.arange(40), 10))
    y = np.tile([0] * 5 + [1] * 5, 40)
    after = y.copy()
    after[4::10] = 1
    found = evaluate(labels(y), labels(after), population_of(split_of(y, people)))
    assert p_of(found.changes, "false_alarm_rate") < 0.001
    assert p_of(found.changes, "recall", class_="S") == 1.0


def test_the_adjusted_p_value_is_never_the_smaller() -> None:
    before, after, split = three_classes()
    rules = [rule(metric="f1", class_=name, min=0.1) for name in ALARMS]
    changes = evaluate(before, after, population_of(split), rules, ("sex", "age", "sex*age")).changes
    assert all(0 < change.p <= change.adjusted_p <= 1 for change in changes.values())
    assert {metric.name for _, metric in changes} >= {"f1", "accuracy", "recall", "missed_alarm_rate"}


def test_the_seed_decides_on_the_drawn_signs() -> None:
    before, after, split = three_classes()
    table = evaluate(before, after, population_of(split), (), ("sex",)).table
    assert find_changes(table, 3) == find_changes(table, 3)
    assert find_changes(table, 3) != find_changes(table, 4)


def test_without_a_float_model_nothing_is_tested() -> None:
    _, after, split = three_classes(60)
    assert evaluate(None, after, population_of(split)).changes == {}


def test_what_cannot_be_measured_is_not_tested() -> None:
    found = evaluate(labels([0, 0, 1]), labels([0, 1, 1]), population_of(split_of([0, 0, 1])))
    assert {metric.label for _, metric in found.changes} == {
        "accuracy",
        "recall of N",
        "recall of S",
        "false alarm rate",
        "missed alarm rate",
    }


def test_the_change_of_a_number_is_tested_too() -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(0, 1, 200)
    for people in (None, people_of(np.arange(200) % 40)):
        population = population_of(split_of(np.zeros(200, int), people, target=target), (), (), task="regression")
        noise = rng.normal(0, 1, 200)
        worse = evaluate(values(target + noise), values(target + 1.5 * noise), population).changes
        assert p_of(worse, "mae") < 0.001
        alike = evaluate(values(target + noise), values(target + rng.permutation(noise)), population).changes
        assert p_of(alike, "mae") > 0.1


def test_false_positives_are_as_rare_as_promised_where_nothing_changed() -> None:
    rng = np.random.default_rng(9)
    runs, false = 60, 0
    person = np.repeat(np.arange(16), 8)
    for _ in range(runs):
        right = rng.random(128) < rng.beta(4, 1, 16)[person]
        before, after = (labels(np.where(rng.random(128) < 0.9, ~right, right).astype(int)) for _ in range(2))
        split = split_of(np.zeros(128, int), people_of(person), sex=np.array(["f", "m"])[person % 2])
        changes = evaluate(before, after, population_of(split), (), ("sex",)).changes
        false += min(change.adjusted_p for change in changes.values()) <= 0.05
    assert false / runs <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / runs)


def test_a_change_of_a_metric_that_counts_no_rows_is_not_said_to_be_mcnemars() -> None:
    before, after, split = three_classes(200, named=False)
    table = evaluate(before, after, population_of(split), [rule(metric="balanced_accuracy", min=0.1)]).table
    methods = {metric.label: change.method for (_, metric), change in find_changes(table, seed=1).items()}
    assert methods["balanced accuracy"] == "inverted interval; Holm 1979"
    assert methods["accuracy"] == "McNemar 1947, exact; Holm 1979"


def test_a_ranking_is_tested_by_its_interval_as_people_have_no_part_of_their_own_in_it() -> None:
    moved = Moved(np.arange(3), np.array([5.0, 4.0, 6.0]), None, adds_up=False)
    share = Moved(np.arange(3), np.array([5.0, 4.0, 6.0]), (15, 0))
    tally = PairedTally(np.array([5, 4, 6]), np.zeros(3, np.int64), np.full(3, 50), named=True)
    keys = [MetricKey(name=name, higher_is_better=True) for name in ("auc", "accuracy")]
    answers = [
        Answers(key, PairedShare(tally), PairedShare(tally), PairedShare(tally), each)
        for key, each in zip(keys, (moved, share), strict=True)
    ]
    group = GroupAnswers(GroupKey(), 150, 3, tuple(answers))
    found = find_changes(GroupTable({"overall": (group,)}, people=3), seed=1)
    ranked, flipped = (found[GroupKey(), key] for key in keys)
    assert ranked.method == "inverted interval; Holm 1979"
    assert "sign flips" in flipped.method
    assert flipped.p == pytest.approx(0.25)
    assert flipped.adjusted_p == pytest.approx(0.5)  # half of the error is the ranking's
    assert ranked.adjusted_p == pytest.approx(min(2 * ranked.p, 1.0))
