"""Attacks with shadow models, from tables to what is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from audit_pipeline.measurement import GroupKey, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import MembershipRule
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy.membership_by_shadows import (
    Attacker,
    membership_across_versions,
    membership_by_shadows,
    parts_of,
)
from audit_pipeline.privacy.membership_test import certified_fpr, holds_below, p_leak, rows_needed
from audit_pipeline.privacy.pseudo_targets import target_scores
from audit_pipeline.privacy.scored import scored
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy.subjects import by_person
from audit_pipeline.privacy_part import MembershipPart, PrivacyPart
from audit_pipeline.statistics.intervals import clopper_pearson
from benchmarks.privacy_worlds import as_int8, nature, world


def attacked(table: ShadowTable, fpr: float = 0.1, unit: str = "rows", specs: tuple[str, ...] = ("overall",)):
    return membership_by_shadows({("device", "output"): table}, specs, fpr, unit, 0.95)


def outcomes(parts: tuple[MembershipPart, ...], max_tpr: float, fpr: float = 0.1, unit: str = "rows") -> set[Outcome]:
    specs = ("overall", "sex")
    rule = MembershipRule(attack="membership", attacker="shadows", fpr=fpr, max_tpr=max_tpr, groups=specs, unit=unit)
    return {finding.outcome for finding in judge([rule], parts, None, PrivacyPart())}


def part(tpr: tuple[int, int], fpr: tuple[int, int], *, coin: float | None = None) -> MembershipPart:
    """A part of independent rows from counts."""

    def rate(hits: int, rows: int) -> Measured:
        low, high = clopper_pearson(hits / rows, rows, 0.95)
        return Measured(
            estimate=hits / rows,
            interval={"low": low, "high": high, "level": 0.95, "method": "Clopper-Pearson 1934"},
            rows=rows,
        )

    return MembershipPart(
        model="device",
        group={},
        strength="shadows",
        attack="student_t",
        fpr_target=0.01,
        fpr=rate(*fpr),
        tpr=rate(*tpr),
        tpr_with_coin=coin,
        auc=None,
    )


@pytest.mark.parametrize(
    ("tpr", "fpr"), [((30, 300), (5, 400)), ((3, 50), (0, 1000)), ((0, 40), (1, 40)), ((40, 40), (2, 90))]
)
def test_a_p_value_is_the_larger_of_two_exact_ones(tpr: tuple[int, int], fpr: tuple[int, int]) -> None:
    above = binom.sf(tpr[0] - 1, tpr[1], 0.02)
    table = [[tpr[0], tpr[1] - tpr[0]], [fpr[0], fpr[1] - fpr[0]]]
    more_often = fisher_exact(table, alternative="greater").pvalue
    assert p_leak(part(tpr, fpr), 0.02) == pytest.approx(max(above, more_often), rel=1e-5)


def test_people_prove_less_in_the_tail_than_as_many_independent_rows() -> None:
    rows = part((30, 300), (5, 400))
    of_people = rows.model_copy(
        update={
            "tpr": rows.tpr.model_copy(update={"subjects": 12}),
            "fpr": rows.fpr.model_copy(update={"subjects": 12}),
        }
    )
    assert p_leak(of_people, 0.02) > 5 * p_leak(rows, 0.02)


def test_a_drift_that_lets_through_everybody_is_no_leak() -> None:
    assert p_leak(part((60, 300), (60, 300)), 0.02) > 0.3


def test_an_attack_keeps_a_limit_by_its_upper_bound_and_its_coin() -> None:
    assert holds_below(part((0, 400), (0, 400)), 0.02)
    assert not holds_below(part((3, 400), (0, 400)), 0.02)
    assert not holds_below(part((0, 400), (0, 400), coin=0.3), 0.02)


@pytest.mark.parametrize(
    ("rows", "certified"), [(400, 0.01), (368, 0.01), (367, 0.05), (72, 0.05), (71, 0.1), (30, None)]
)
def test_few_strangers_certify_only_a_higher_rate(rows: int, certified: float | None) -> None:
    assert certified_fpr(part((1, 50), (0, rows))) == certified


def test_nearly_everybody_is_recognised_by_few_effective_rows() -> None:
    """The upper end is 1 as far as a float can tell, which says nothing of how many rows there were."""
    found = part((1, 100), (1, 100))
    low, high = clopper_pearson(0.9976, 40.0, 0.95)
    sure = Measured(
        estimate=0.9976,
        interval={"low": low, "high": 1.0, "level": 0.95, "method": "Clopper-Pearson 1934"},
        rows=1268,
        subjects=5,
    )
    assert high == pytest.approx(1.0, abs=1e-3)
    assert p_leak(found.model_copy(update={"tpr": sure}), 0.05) < 0.01


def test_more_rows_decide_as_said() -> None:
    undecided = part((1, 100), (1, 100))
    more = rows_needed(undecided, 0.02, 0.05)
    assert more is not None
    assert clopper_pearson(0.01, 100 + more, 0.95)[1] <= 0.02
    assert clopper_pearson(0.01, (100 + more) * 0.95, 0.95)[1] > 0.02
    leaking = part((4, 100), (1, 100))
    assert rows_needed(leaking, 0.02, 0.001) > rows_needed(leaking, 0.02, 0.05)
    assert rows_needed(part((5, 100), (5, 100)), 0.02, 0.05) is None, "as often as strangers: no number helps"


def test_a_planted_leak_fails_and_names_the_strongest_attack() -> None:
    parts = attacked(world(np.random.default_rng(0), leak=2.0), specs=("overall", "sex"))
    assert [one.attack for one in parts[::3]] == ["student_t", "lira_online", "lira_offline", "rmia"]
    assert all(one.strength == "shadows" and one.fpr_set is not None and one.fpr_set <= 0.1 for one in parts)
    assert all(one.auc_interval is not None for one in parts)
    assert outcomes(parts, 0.12) == {Outcome.FAIL}


def test_a_planted_leak_fails_on_int8_too() -> None:
    table = world(np.random.default_rng(1), members=1000, others=1000, leak=2.0, int8=True)
    assert Outcome.FAIL in outcomes(attacked(table, specs=("overall", "sex")), 0.12)


@pytest.mark.parametrize("people", [0, 20])
def test_without_a_leak_small_p_values_are_rare(people: int) -> None:
    """The hardest limit: no more members than strangers; on the target all is drawn anew, surer of everybody."""
    rng = np.random.default_rng(16)
    drawn = nature(rng, members=200, others=200, people=people)
    known = scored([drawn.table(rng)], "student_t")
    attacker = Attacker("device", "output", (), None, "rows", 0.95)
    small = 0
    for _ in range(100):
        target = target_scores(drawn.table(rng, drift=0.3), "student_t")
        (part,) = parts_of(attacker, "student_t", GroupKey(), 0.1, replace(known, target=target))
        small += p_leak(part, 0.1) <= 0.05
    assert small <= 10


def test_without_a_leak_a_generous_limit_is_kept() -> None:
    assert outcomes(attacked(world(np.random.default_rng(2)), specs=("overall", "sex")), 0.25) == {Outcome.PASS}


def test_the_rate_is_near_the_one_set_on_pseudo_targets() -> None:
    table = world(np.random.default_rng(3), members=2000, others=2000, leak=1.0)
    for one in attacked(table, 0.05):
        assert one.fpr_set == pytest.approx(0.05, abs=0.01)
        assert one.fpr.estimate == pytest.approx(0.05, abs=0.02)


def test_the_threshold_does_not_know_the_target() -> None:
    table = world(np.random.default_rng(4))
    other = replace(table, target=table.target[::-1].copy())
    assert [one.fpr_set for one in attacked(table)] == [one.fpr_set for one in attacked(other)]


def test_too_few_strangers_add_a_part_at_a_rate_that_they_certify() -> None:
    parts = attacked(world(np.random.default_rng(5), members=200, others=100), 0.01)
    assert [(one.attack, one.fpr_target) for one in parts[:2]] == [("student_t", 0.01), ("student_t", 0.05)]
    assert len(parts) == 8


@pytest.mark.parametrize(
    ("members", "others", "reason"),
    [(19, 200, "19 training rows are too few"), (200, 19, "19 rows that were not trained on are too few")],
)
def test_too_few_rows_decide_nothing(members: int, others: int, reason: str) -> None:
    for one in attacked(world(np.random.default_rng(6), members=members, others=others)):
        assert isinstance(one.tpr, NotMeasurable)
        assert reason in one.tpr.reason
    assert outcomes(attacked(world(np.random.default_rng(6), members=19)), 0.2) == {Outcome.INCONCLUSIVE}


def test_a_model_that_outputs_one_value_decides_nothing() -> None:
    table = world(np.random.default_rng(7))
    constant = replace(table, target=np.where(table.y == 0, 1.0, -1.0))
    assert {one.tpr.reason for one in attacked(constant)} == {"the model gives the same output for all rows"}


def test_a_person_on_both_sides_decides_nothing() -> None:
    table = world(np.random.default_rng(8), people=30)
    shared = table.people.copy()
    shared[-1] = 0
    assert {one.tpr.reason for one in attacked(replace(table, people=shared))} == {
        "people are among members and non-members"
    }


def test_people_that_nobody_names_cannot_be_attacked() -> None:
    parts = attacked(world(np.random.default_rng(9)), unit="people")
    assert all("names no subject" in one.tpr.reason for one in parts)


def test_a_person_is_easier_to_recognise_than_a_row() -> None:
    table = world(np.random.default_rng(10), members=800, others=800, people=80, leak=0.7)
    rows, people = attacked(table)[0], attacked(table, unit="people")[0]
    assert people.unit == "people"
    assert (people.tpr.rows, people.fpr.rows) == (80, 80)
    assert people.auc > rows.auc + 0.1


def test_a_person_is_the_mean_of_their_rows_in_the_group() -> None:
    table = world(np.random.default_rng(11), members=60, others=60, people=20)
    group = np.arange(120) % 3 > 0
    people = by_person(table, group)
    for place, code in enumerate(np.unique(table.people[group])):
        rows = group & (table.people == code)
        assert people.target[place] == pytest.approx(table.target[rows].mean())
        assert people.shadows[:, place] == pytest.approx(table.shadows[:, rows].mean(axis=1))
        assert (people.inside[:, place] == table.inside[:, rows][:, 0]).all()
        assert people.member[place] == table.member[rows][0]


def test_two_versions_tell_more_than_one() -> None:
    """Of the same shift, seen through noise that differs between versions."""
    rng = np.random.default_rng(12)
    one = world(rng, members=600, others=600, leak=1.0)

    def seen_through(noise: float) -> ShadowTable:
        return replace(
            one,
            shadows=one.shadows + rng.normal(0, noise, one.shadows.shape),
            target=one.target + rng.normal(0, noise, one.target.shape),
        )

    first, second = seen_through(2.0), seen_through(2.0)
    both = membership_across_versions([first, second], "output", "the float model", ("overall",), 0.05, "rows", 0.95)
    assert {(part.model, part.beside) for part in both} == {("both", "the float model")}
    alone = max(attacked(table, 0.05)[0].auc for table in (first, second))
    assert both[0].auc > alone + 0.01


def test_a_version_that_says_nothing_takes_nothing_away() -> None:
    table = world(np.random.default_rng(13), members=600, others=600, leak=1.5)
    rng = np.random.default_rng(14)
    useless = replace(table, shadows=rng.normal(0, 1, table.shadows.shape), target=rng.normal(0, 1, 1200))
    both = membership_across_versions([table, useless], "output", "another", ("overall",), 0.05, "rows", 0.95)
    assert both[0].auc == pytest.approx(attacked(table, 0.05)[0].auc, abs=0.02)


def test_a_device_tells_less_where_it_saturates() -> None:
    table = world(np.random.default_rng(15), members=1000, others=1000, leak=1.0, sureness=6.0)
    device = replace(table, shadows=as_int8(table.shadows), target=as_int8(table.target))
    assert scored([device], "student_t").target.shape == (2000,)
    assert attacked(device)[0].auc < attacked(table)[0].auc


@pytest.mark.parametrize("surer", [4.0, 8.0])
def test_shadows_that_were_trained_far_longer_than_the_model_buy_no_pass(surer: float) -> None:
    table = world(np.random.default_rng(9), members=1000, others=1000, leak=2.0)
    unlike = replace(table, shadows=table.shadows + surer)
    parts = attacked(unlike, specs=("overall", "sex"))
    assert any(isinstance(one.tpr, Measured) and one.tpr.estimate < 0.1 for one in parts)  # out of reach
    assert outcomes(parts, 0.3) <= {Outcome.FAIL, Outcome.INCONCLUSIVE}
