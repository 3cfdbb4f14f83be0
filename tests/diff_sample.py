"""A diff made by hand: two runs, metrics in three units, whatever groups a test wants."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.differences import Diff, DiffedRun, sort_out
from audit_pipeline.evidence import DataPart
from audit_pipeline.findings import Change, Exemplars, GroupRow, MetricComparison, Overrepresentation
from audit_pipeline.measurement import GroupKey, Interval, Measured, MetricKey, NotMeasurable, Outcome, Scale

ACCURACY = MetricKey(name="accuracy", higher_is_better=True)
RECALL = MetricKey(name="recall", class_="V", higher_is_better=True)
ERROR = MetricKey(name="mae", higher_is_better=False, scale=Scale.LABEL)
EVERYBODY = GroupKey()
WOMEN = GroupKey(by=("sex",), values=("female",))
MEN = GroupKey(by=("sex",), values=("male",))


def measured(value: float, low: float | None = None, high: float | None = None) -> Measured:
    ends = (value - 0.05 if low is None else low, value + 0.05 if high is None else high)
    interval = Interval(low=ends[0], high=ends[1], level=0.95, method="Wilson 1927")
    return Measured(estimate=value, interval=interval, rows=400, subjects=20)


def comparison(metric: MetricKey, before: float, after: float, p: float) -> MetricComparison:
    worse = before - after if metric.higher_is_better else after - before
    change = Change(method="999 sign flips", p=p / 2, adjusted_p=p)
    return MetricComparison(
        metric=metric, before=measured(before), after=measured(after), worsening=measured(worse), change=change
    )


def not_comparable(metric: MetricKey) -> MetricComparison:
    absent = NotMeasurable(reason="there is no row of class V in this group", rows=0)
    return MetricComparison(metric=metric, before=absent, after=absent, worsening=absent, change=None)


def row(group: GroupKey, *comparisons: MetricComparison) -> GroupRow:
    return GroupRow(group=group, rows=400, subjects=20, metrics=comparisons)


def run(name: str) -> DiffedRun:
    return DiffedRun(
        id=name,
        created="2026-01-01T00:00:00Z",
        tool="audit 0.0.0",
        outcome=Outcome.PASS,
        policy="fair",
        policy_sha256="1" * 64,
        source_sha256="2" * 64,
        model_sha256="3" * 64,
        size_bytes=34_816,
        recipe=("quantize: int8, 500 calibration rows",),
        trials=None,
        arithmetic="tflite-micro",
    )


def exemplars(*groups: Overrepresentation) -> Exemplars:
    return Exemplars(rows=400, changed=40, lost=30, gained=8, listed=(), groups=groups)


def standing_out(group: GroupKey, adjusted_p: float) -> Overrepresentation:
    return Overrepresentation(
        group=group, inside=measured(0.2), outside=measured(0.05), ratio=4.0, p=adjusted_p / 2, adjusted_p=adjusted_p
    )


def sample(rows: Sequence[GroupRow], found: Exemplars | None = None, *, name: str = "winter") -> Diff:
    data = DataPart(
        name="hearts",
        description="beats",
        source="generated",
        synthetic=True,
        sha256="4" * 64,
        classes=("N", "V"),
        alarm_classes=("V",),
        splits=(),
        unit="mmHg",
    )
    by_answer = sort_out(rows, 0.95)
    return Diff(
        data=data,
        before=run("autumn"),
        after=run(name),
        level=0.95,
        worse=by_answer.worse,
        better=by_answer.better,
        undecided=len(by_answer.undecided),
        not_comparable=by_answer.not_comparable,
        groups=tuple(rows),
        exemplars=found,
    )


SURELY_MIXED = (
    row(EVERYBODY, comparison(ACCURACY, 0.90, 0.93, 0.01), comparison(RECALL, 0.94, 0.90, 0.04)),
    row(WOMEN, comparison(ACCURACY, 0.90, 0.88, 0.30), comparison(RECALL, 0.94, 0.66, 0.001)),
    row(MEN, comparison(ACCURACY, 0.90, 0.90, 1.00), not_comparable(RECALL)),
)
