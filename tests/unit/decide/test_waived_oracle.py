"""Verdicts under waivers, against the definition written out: every finding passes, or lies within some waiver."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from test_decide import BLOB, POLICY, finding

from audit_pipeline.decide import decide
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, Outcome
from audit_pipeline.policy.schema import Policy
from audit_pipeline.waiver_part import WaiverPart

GROUPS = {f"sex={value}": GroupKey(by=("sex",), values=(value,)) for value in ("a", "b", "c")}
STEPS = st.integers(0, 10).map(lambda step: step / 10)
WORST = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.FAIL: 2}


@st.composite
def findings(draw: st.DrawFn) -> list[Finding]:
    made = []
    for name in draw(st.sets(st.sampled_from(sorted(GROUPS)), min_size=1)):
        low, middle, high = sorted(draw(st.tuples(STEPS, STEPS, STEPS)))
        interval = Interval(low=low, high=high, level=draw(st.sampled_from([0.95, 0.9])), method="test")
        value = Measured(estimate=middle, interval=interval, rows=draw(st.sampled_from([29, 30, 100])))
        kind, stage = draw(st.sampled_from(["at_most", "at_least"])), draw(st.sampled_from(["fairness", "privacy"]))
        one = finding(draw(st.sampled_from(list(Outcome))), group=GROUPS[name], limit=0.5, limit_kind=kind, stage=stage)
        made.append(one.model_copy(update={"value": value, "id": name}))
    return made


@st.composite
def waivers(draw: st.DrawFn) -> list[WaiverPart]:
    chosen = draw(st.lists(st.tuples(st.sampled_from([*GROUPS, "overall"]), STEPS), max_size=5))
    return [
        WaiverPart(
            sha256=f"{number:064x}",
            rule=draw(st.sampled_from(["fairness[0]", "fairness[0]", "fairness[1]"])),
            group=group,
            limit=limit,
            reason="r",
            issued="2026-01-01T00:00:00Z",
            expires="2026-02-01T00:00:00Z",
            approvers=(),
        )
        for number, (group, limit) in enumerate(chosen)
    ]


def within(one: Finding, waiver: WaiverPart) -> bool:
    """Whether a waiver lets a finding through, spelt out."""
    value = one.value
    assert isinstance(value, Measured) and value.interval is not None
    meant = one.stage == "fairness" and (waiver.rule, waiver.group) == (one.rule, one.group.label)
    known = value.rows >= 30 and value.interval.level == 0.95
    if one.limit_kind == "at_most":
        return meant and known and one.limit < waiver.limit and value.interval.high <= waiver.limit
    return meant and known and one.limit > waiver.limit and value.interval.low >= waiver.limit


@settings(max_examples=400)
@given(findings(), waivers())
def test_the_verdict_is_the_worst_of_what_no_waiver_lets_through(found: list[Finding], given: list[WaiverPart]) -> None:
    verdict = decide([BLOB, *found], Policy.model_validate(POLICY), given)
    left = [one.outcome for one in found if not any(within(one, waiver) for waiver in given)]
    assert verdict.outcome is max([Outcome.PASS, *left], key=WORST.__getitem__)
    assert len(verdict.waived) == len(given)
    needed = [waiver for waiver, use in zip(given, verdict.waived, strict=True) if use.use == "used"]
    assert decide([BLOB, *found], Policy.model_validate(POLICY), needed).outcome is verdict.outcome
    assert len({(waiver.rule, waiver.group) for waiver in needed}) == len(needed)
