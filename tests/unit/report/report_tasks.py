"""Runs whose numbers are no shares: a regression, and anomaly scores with false alarms by the hour."""

from __future__ import annotations

from typing import Any

from report_findings import FAMILY, TESTED
from report_sample import GROUPS, SIGN_FLIPS, make_evidence

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Change, Finding, GroupRow, MetricComparison
from audit_pipeline.measurement import GroupKey, Interval, Measured, MetricKey, Outcome, Scale

MAE = MetricKey(name="mae", higher_is_better=False, scale=Scale.LABEL)
RMSE = MetricKey(name="rmse", higher_is_better=False, scale=Scale.LABEL)
HOURLY = MetricKey(name="false_alarms_per_hour", higher_is_better=False, scale=Scale.PER_HOUR)
AUC = MetricKey(name="auc", higher_is_better=True)
_LIMIT = 0.5


def make_regression(unit: str | None = "beats/min") -> Evidence:
    """A model that estimates a pulse; women's error doubles on the device."""
    rules = [
        {"metric": "mae", "max_rise": _LIMIT, "groups": ["overall", "sex", "age_band"]},
        {"metric": "rmse", "max_gap": 3.0, "groups": ["sex"]},
    ]
    document = {"worst_error": {"kind": "too_low", "harms": "the wearer, whose racing heart is not seen"}}
    data = {"task": "regression", "unit": unit, "classes": (), "alarm_classes": ()}
    return _run({MAE: 4.21, RMSE: 6.02}, rules, data, document)


def make_anomaly() -> Evidence:
    """An autoencoder that hears when a fan breaks."""
    rules = [{"metric": "false_alarms_per_hour", "max_rise": _LIMIT, "groups": ["overall", "sex", "age_band"]}]
    data = {
        "task": "anomaly",
        "score": "reconstruction_error",
        "threshold": 0.37125,
        "classes": ("normal", "anomaly"),
        "alarm_classes": ("anomaly",),
        "row_seconds": 10.0,
    }
    return _run({HOURLY: 3.2, AUC: 0.91}, rules, data, {})


def _run(
    values: dict[MetricKey, float], rules: list[dict[str, Any]], data: dict[str, Any], human: dict[str, Any]
) -> Evidence:
    base = make_evidence(Outcome.FAIL)
    rows = tuple(_row(group, values) for group in GROUPS[:6])
    findings = (*_drops(rows, next(iter(values))), *_gap(rules))
    document = {
        **base.policy.document,
        "fairness": rules,
        "human_centred": {**base.policy.document["human_centred"], **human},
    }
    splits = base.data.splits if data["classes"] else [s.model_copy(update={"classes": {}}) for s in base.data.splits]
    return base.model_copy(
        update={
            "groups": rows,
            "exemplars": None,
            "findings": findings + tuple(f for f in base.findings if f.stage != "fairness"),
            "policy": base.policy.model_copy(update={"document": document}),
            "data": base.data.model_copy(update={**data, "splits": tuple(splits)}),
            "verdict": base.verdict.model_copy(update={"reasons": tuple(f.reason for f in findings)}),
        }
    )


def _measured(value: float, half: float) -> Measured:
    interval = Interval(low=value - half, high=value + half, level=0.95, method="t by subject")
    return Measured(estimate=value, interval=interval, rows=880, subjects=11)


def _row(group: GroupKey, values: dict[MetricKey, float]) -> GroupRow:
    harm = 1.0 if group.values == ("F",) else 0.0625
    return GroupRow(
        group=group,
        rows=880,
        subjects=11,
        metrics=tuple(
            MetricComparison(
                metric=metric,
                before=_measured(value, value / 20),
                after=_measured(value * (1 + harm) if metric.scale is not Scale.SHARE else value, value / 20),
                worsening=_measured(value * harm if metric.scale is not Scale.SHARE else 0.0, value / 50),
                change=Change(method=SIGN_FLIPS, p=0.012, adjusted_p=0.04),
            )
            for metric, value in values.items()
        ),
    )


def _drops(rows: tuple[GroupRow, ...], metric: MetricKey) -> list[Finding]:
    findings = []
    for row in rows:
        value = row.metrics[0].worsening
        assert isinstance(value, Measured)
        outcome = Outcome.FAIL if value.estimate > _LIMIT else Outcome.PASS
        findings.append(
            Finding(
                id=f"max_rise/{metric.name}/{row.group.label}",
                stage="fairness",
                rule="fairness[0]",
                claim=f"{row.group.label}: {metric.label} rises by at most {_LIMIT} against the float model",
                group=row.group,
                value=value,
                limit=_LIMIT,
                limit_kind="at_most",
                outcome=outcome,
                reason=f"{row.group.label}: {metric.label} rose by {value.estimate:.3f}",
                breach=TESTED[outcome],
            )
        )
    return findings


def _gap(rules: list[dict[str, Any]]) -> list[Finding]:
    if len(rules) == 1:
        return []
    return [
        Finding(
            id="max_gap/rmse/sex",
            stage="fairness",
            rule="fairness[1]",
            claim="between groups of sex: root mean squared error differs by at most 3 on the device",
            group=GroupKey(by=("sex",)),
            value=_measured(5.64, 0.9),
            limit=3.0,
            limit_kind="at_most",
            outcome=Outcome.FAIL,
            reason=f"root mean squared error differs by 5.640 between sex=F (higher) and sex=M; over {FAMILY} tests",
            breach=TESTED[Outcome.FAIL],
        )
    ]
