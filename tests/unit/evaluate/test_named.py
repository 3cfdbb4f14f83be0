"""Demographic parity, equalized odds and equal opportunity, against fairlearn's own functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from stage import CLASSES, evaluate, labels, population_of, rule, split_of, three_classes

from audit_pipeline.evaluate.gap import Gap
from audit_pipeline.evaluate.named import Worst
from audit_pipeline.evaluate.questions import ask
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.schema import Statistics
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally

NAMED: dict[str, Callable[..., float]] = {
    name: getattr(fairlearn, name)
    for of in ("demographic_parity", "equalized_odds", "equal_opportunity")
    for name in (f"{of}_difference", f"{of}_ratio")
}


SPECS = ("sex", "age", "sex*age")


@cache
def findings() -> dict[str, Finding]:
    _, after, split = three_classes()
    rules = [
        rule(metric=name, groups=SPECS, **{"max" if "difference" in name else "min": 0.2}, **said)
        for name in NAMED
        for said in ({}, {"class_": "N"}, {"class_": "V"})
    ]
    found = evaluate(None, after, population_of(split), rules, smallest=1).findings
    return {finding.id: finding for finding in found}


@pytest.mark.parametrize("class_", [None, "N", "V"])
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("name", list(NAMED))
def test_the_value_is_fairlearns(name: str, spec: str, class_: str | None) -> None:
    _, after, split = three_classes()
    positive = [1, 2] if class_ is None else [CLASSES.index(class_)]
    expected = NAMED[name](
        np.isin(split.y, positive).astype(int),
        np.isin(after.labels, positive).astype(int),
        sensitive_features=np.stack([split.groups[column] for column in spec.split("*")], axis=1),
    )
    limit = "max" if "difference" in name else "min"
    found = findings()[f"fairness.{name}{f'.{class_}' if class_ else ''}.{limit}:{spec}"]
    assert isinstance(found.value, Measured)
    assert found.value.estimate == pytest.approx(expected, abs=1e-12)
    assert found.value.interval is not None
    assert found.value.interval.low <= expected <= found.value.interval.high
    assert found.limit_kind == ("at_most" if limit == "max" else "at_least")
    assert found.group == GroupKey(by=tuple(spec.split("*")))


def world(rates: dict[str, tuple[float, float]], rows: int = 600) -> Finding:
    """Equalized odds of groups with the given true- and false-positive rates."""
    y = np.tile(np.repeat([0, 1], rows // 2), len(rates))
    sex = np.repeat(list(rates), rows)
    within = np.tile(np.arange(rows // 2) / (rows // 2), 2 * len(rates))
    rate = np.array([rates[name][0 if positive else 1] for name, positive in zip(sex, y, strict=True)])
    split = split_of(y, sex=sex)
    one = rule(metric="equalized_odds_difference", max=0.1, groups=("sex",))
    population = population_of(split, ("calm", "alarm"), ("alarm",))
    return evaluate(None, labels(within < rate, 2), population, [one]).findings[0]


def test_equalized_odds_is_the_worse_of_both_rates() -> None:
    by_truth, by_falsehood = world({"f": (0.9, 0.1), "m": (0.5, 0.12)}), world({"f": (0.9, 0.1), "m": (0.88, 0.5)})
    for found in (by_truth, by_falsehood):
        assert isinstance(found.value, Measured)
        assert found.value.estimate == pytest.approx(0.4)
        assert found.outcome is Outcome.FAIL
    assert "between sex=f (higher) and sex=m" in by_truth.reason
    assert "between sex=m (higher) and sex=f" in by_falsehood.reason


def test_equal_rates_of_many_rows_pass() -> None:
    assert world({"f": (0.9, 0.1), "m": (0.9, 0.1)}, 4000).outcome is Outcome.PASS


def gap(*counts: tuple[int, int]) -> Gap:
    return Gap(
        tuple(
            (GroupKey(by=("g",), values=(str(at),)), Share(Tally(np.array([h]), np.array([n]), False)))
            for at, (h, n) in enumerate(counts)
        ),
        None,
    )


def test_the_worst_of_one_part_is_that_part() -> None:
    alone = gap((50, 100), (80, 100), (60, 70))
    assert Worst((alone,)).bounds(0.95) == pytest.approx(alone.bounds(0.95))
    assert Worst((alone,)).p_broken(0.1) == alone.p_broken(0.1)


def test_the_end_that_claims_a_breach_holds_for_all_parts_and_the_other_for_the_worst() -> None:
    parts = gap((50, 100), (80, 100)), gap((30, 100), (35, 100))
    both = Worst(parts)
    low, high = both.bounds(0.95)
    assert low == pytest.approx(parts[0].bounds(0.975)[0])
    assert high == pytest.approx(max(part.bounds(0.95)[1] for part in parts))
    assert both.p_broken(0.05) == pytest.approx(2 * parts[0].p_broken(0.05))
    assert both.seen == parts[0].seen


def test_a_ratio_of_rates_that_are_all_zero_has_no_value() -> None:
    split = split_of([0, 1] * 60, sex=np.repeat(["f", "m"], 60))
    one = rule(metric="equalized_odds_ratio", min=0.8, groups=("sex",))
    found = evaluate(None, labels([0, 0] * 60), population_of(split), [one]).findings[0]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert isinstance(found.value, NotMeasurable)
    assert "rates that are zero in every group" in found.reason


def test_a_group_without_positives_is_left_out_of_opportunity_and_not_of_parity() -> None:
    y = np.concatenate([np.tile([0, 1], 50), np.zeros(50, int)])
    split = split_of(y, sex=np.repeat(["f", "m", "x"], 50))
    names = ("equal_opportunity", "equalized_odds", "demographic_parity")
    rules = [rule(metric=f"{name}_difference", max=0.5, groups=("sex",)) for name in names]
    table = evaluate(None, labels(y), population_of(split), rules).table
    opportunity, odds, parity = ask(rules, table, Statistics(min_group_size=10))
    x = GroupKey(by=("sex",), values=("x",))
    assert (opportunity.left_out, odds.left_out, parity.left_out) == ((x,), (x,), ())
