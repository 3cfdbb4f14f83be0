"""What waivers do to findings: used, unused, or not enough."""

from __future__ import annotations

from typing import Any

import pytest
from test_decide import BLOB, POLICY, finding

from audit_pipeline.decide import decide
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.schema import Policy
from audit_pipeline.waived import why_never
from audit_pipeline.waiver_part import WaiverPart

WOMEN = GroupKey(by=("sex",), values=("female",))
MEN = GroupKey(by=("sex",), values=("male",))
BETWEEN = GroupKey(by=("sex",))


def measured(low: float, high: float, **changes: Any) -> Measured:
    interval = Interval(low=low, high=high, level=changes.pop("level", 0.95), method="test")
    return Measured.model_validate({"estimate": (low + high) / 2, "interval": interval, "rows": 100, **changes})


def failing(**update: Any) -> Finding:
    """A FAIL of women: between 0.1 and 0.2, where at most 0.05 is allowed."""
    return finding(Outcome.FAIL, group=WOMEN).model_copy(update={"value": measured(0.1, 0.2), "id": "f", **update})


def waiver(limit: float = 0.25, number: int = 1, **changes: str) -> WaiverPart:
    return WaiverPart.model_validate(
        {
            "sha256": f"{number:064x}",
            "rule": "fairness[0]",
            "group": "sex=female",
            "limit": limit,
            "reason": "a better sensor is on its way",
            "issued": "2026-01-01T00:00:00Z",
            "expires": "2026-03-01T00:00:00Z",
            "approvers": (),
        }
        | changes
    )


def decided(*findings: Finding, waivers: tuple[WaiverPart, ...] = (waiver(),)):
    verdict = decide((BLOB, *findings), Policy.model_validate(POLICY), waivers)
    return verdict.outcome, [use.use for use in verdict.waived]


def test_a_waived_finding_that_holds_at_the_looser_limit_stands_in_the_way_no_more() -> None:
    verdict = decide((BLOB, failing()), Policy.model_validate(POLICY), [waiver()])
    assert verdict.outcome is Outcome.PASS
    assert verdict.reasons == ()
    assert verdict.counts[Outcome.FAIL] == 1
    (use,) = verdict.waived
    assert (use.use, use.finding) == ("used", "f")
    assert "2026-03-01" in use.reason and "better sensor" in use.reason


@pytest.mark.parametrize("limit", [0.2, 0.25, 5.0])
def test_touching_the_waived_limit_keeps_it(limit: float) -> None:
    assert decided(failing(), waivers=(waiver(limit),)) == (Outcome.PASS, ["used"])


@pytest.mark.parametrize("limit", [0.1999, 0.15, 0.05, 0.01, -1.0])
def test_a_limit_that_the_whole_interval_does_not_keep_is_not_enough(limit: float) -> None:
    assert decided(failing(), waivers=(waiver(limit),)) == (Outcome.FAIL, ["insufficient"])


def test_a_floor_is_waived_downwards() -> None:
    floor = failing(limit=0.5, limit_kind="at_least")
    assert decided(floor, waivers=(waiver(0.1),)) == (Outcome.PASS, ["used"])
    assert decided(floor, waivers=(waiver(0.11),)) == (Outcome.FAIL, ["insufficient"])
    assert decided(floor, waivers=(waiver(0.9),)) == (Outcome.FAIL, ["insufficient"])


def test_what_is_undecided_can_be_waived_only_where_it_holds_at_the_looser_limit() -> None:
    straddling = failing(outcome=Outcome.INCONCLUSIVE, value=measured(0.0, 0.1))
    assert decided(straddling, waivers=(waiver(0.1),)) == (Outcome.PASS, ["used"])
    assert decided(straddling, waivers=(waiver(0.09),)) == (Outcome.INCONCLUSIVE, ["insufficient"])


@pytest.mark.parametrize(
    "value",
    [
        NotMeasurable(reason="no rows", rows=0),
        measured(0.1, 0.2, rows=29),
        measured(0.1, 0.2, level=0.5),
        Measured(estimate=0.1, rows=100),
        measured(0.1, 0.2, estimate=0.9),
    ],
)
def test_what_too_little_stands_behind_is_not_known_at_any_limit(value: Any) -> None:
    unknown = failing(outcome=Outcome.INCONCLUSIVE, value=value)
    assert decided(unknown, waivers=(waiver(0.8),)) == (Outcome.INCONCLUSIVE, ["insufficient"])


def test_another_group_or_rule_is_not_waived() -> None:
    assert decided(failing(group=MEN))[0] is Outcome.FAIL
    assert decided(failing(rule="fairness[1]"), finding(Outcome.PASS))[0] is Outcome.FAIL
    both = failing(), failing(group=MEN, id="m")
    assert decided(*both) == (Outcome.FAIL, ["used"])
    assert decided(*both, waivers=(waiver(), waiver(number=2, group="sex=male")))[0] is Outcome.PASS


def test_two_groups_that_read_alike_are_neither_of_them_waived() -> None:
    one = failing(group=GroupKey(by=("a", "b"), values=("x", "y")))
    other = failing(group=GroupKey(by=("a",), values=("x, b=y",)))
    assert one.group.label == other.group.label
    assert decided(one, other, waivers=(waiver(group=one.group.label),)) == (Outcome.FAIL, ["insufficient"])


def test_a_waiver_is_for_a_rule_and_a_group_whatever_ids_findings_have() -> None:
    assert decided(failing(), failing(group=MEN)) == (Outcome.FAIL, ["used"])


def test_a_waiver_that_nothing_needs_is_said_to_be_unused() -> None:
    assert decided(failing(outcome=Outcome.PASS)) == (Outcome.PASS, ["unused"])


def test_of_two_that_are_enough_the_tighter_is_used() -> None:
    waivers = (waiver(0.9, 1), waiver(0.25, 2), waiver(0.15, 3))
    assert decided(failing(), waivers=waivers) == (Outcome.PASS, ["unused", "used", "insufficient"])


@pytest.mark.parametrize("stage", ["device", "privacy"])
def test_neither_the_board_nor_what_is_given_away_can_be_waived(stage: str) -> None:
    assert decided(failing(stage=stage), waivers=(waiver(9.0),)) == (Outcome.FAIL, ["insufficient"])


def test_groups_that_were_too_small_to_be_compared_cannot_be_waived() -> None:
    gap = failing(group=BETWEEN)
    known = gap.model_copy(update={"left_out": ()})
    partly = gap.model_copy(update={"left_out": (MEN,)})
    given = (waiver(group=BETWEEN.label),)
    assert decided(known, waivers=given) == (Outcome.PASS, ["used"])
    for each in (gap, partly):
        assert decided(each, waivers=given) == (Outcome.FAIL, ["insufficient"])
        assert why_never(each)
