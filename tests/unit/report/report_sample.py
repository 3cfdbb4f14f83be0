"""A run as the stages would describe it: heart beats, four classes, a device that forgets one group or does not."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.evidence import (
    BlobHit,
    BlobScan,
    CandidatePart,
    DataPart,
    Evidence,
    Finding,
    Footprint,
    GroupRow,
    KernelCheck,
    Layer,
    MembershipPart,
    MetricComparison,
    OperatorCount,
    PolicyPart,
    Run,
    SealPart,
    SourcePart,
    SplitPart,
    StepPart,
    TrailPart,
    Verdict,
)
from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement, MetricKey, NotMeasurable, Outcome

CLASSES = ("N", "S", "V", "F")
METRICS = (
    MetricKey(name="accuracy", higher_is_better=True),
    *(MetricKey(name="recall", class_=name, higher_is_better=True) for name in CLASSES),
    MetricKey(name="false_alarm_rate", higher_is_better=False),
    MetricKey(name="missed_alarm_rate", higher_is_better=False),
)
RECALL_OF_V = METRICS[3]
BANDS = ("0-44", "45-64", "65-119")
GROUPS = (
    GroupKey(),
    *(GroupKey(by=("sex",), values=(sex,)) for sex in ("F", "M")),
    *(GroupKey(by=("age_band",), values=(band,)) for band in BANDS),
    *(GroupKey(by=("sex", "age_band"), values=(sex, band)) for sex in ("F", "M") for band in BANDS),
)
DOCUMENT = {
    "version": 1,
    "name": "wearable-ecg",
    "human_centred": {
        "intended_use": "A wrist-worn recorder that warns its wearer of ventricular beats. It does not diagnose.",
        "affected": ["wearers", "their carers", "ambulance crews who are called for nothing"],
        "worst_error": {"class": "V", "kind": "missed", "harms": "the wearer, who is not warned"},
        "responsible": {"false_alarm": "Head of product, Acme Wearables", "missed_alarm": "Clinical safety officer"},
        "oversight": {"who_can_stop": "Clinical safety officer", "how_to_appeal": "safety@acme.example, five days"},
    },
    "data": {"manifest": "dataset.yaml"},
    "target": {"board": "nucleo-l4r5zi"},
    "compress": {"recipe": [{"prune_weights": {"sparsity": 0.8}}, {"quantize": {"scheme": "int8"}}], "seed": 0},
    "fairness": [
        {"metric": "recall", "class": "V", "max_drop": 0.02, "groups": ["overall", "sex", "age_band", "sex*age_band"]},
        {"metric": "false_alarm_rate", "max_gap": 0.05, "groups": ["sex"]},
        {"metric": "accuracy", "min": 0.7, "groups": ["overall"]},
    ],
    "privacy": [
        {"attack": "membership", "fpr": 0.01, "max_tpr": 0.05, "groups": ["overall", "sex"]},
        {"attack": "blob_scan", "max_hits": 0},
    ],
}


def sha(letter: str) -> str:
    """A digest that is easy to tell from the others."""
    return letter * 64


def measured(estimate: float, rows: int = 1204, subjects: int | None = 8, half: float = 0.02) -> Measured:
    """A share with an interval around it."""
    interval = Interval(low=max(0.0, estimate - half), high=min(1.0, estimate + half), level=0.95, method="wilson")
    return Measured(estimate=estimate, interval=interval, rows=rows, subjects=subjects)


def worsening(estimate: float, rows: int = 1204, subjects: int | None = 8) -> Measured:
    """A paired difference with an interval around it."""
    interval = Interval(low=estimate - 0.012, high=estimate + 0.012, level=0.95, method="subject bootstrap")
    return Measured(estimate=estimate, interval=interval, rows=rows, subjects=subjects)


def compare(metric: MetricKey, before: float, after: float, rows: int, subjects: int) -> MetricComparison:
    """One metric of one group, measured on both sides."""
    drop = before - after if metric.higher_is_better else after - before
    return MetricComparison(
        metric=metric,
        before=measured(before, rows, subjects),
        after=measured(after, rows, subjects),
        worsening=worsening(round(drop, 4), rows, subjects),
    )


def _values(metric: MetricKey, index: int, outcome: Outcome) -> tuple[float, float]:
    index %= 12
    if metric.name == "accuracy":
        return 0.74 + 0.004 * index, (0.89 if outcome is Outcome.FAIL else 0.75) + 0.004 * index
    if metric == RECALL_OF_V:
        before = (0.85, 0.724, 0.936)[index] if index < 3 else 0.70 + 0.02 * index
        collapsed = {0: 0.21, 1: 0.62, 6: 0.6, 7: 0.58, 8: 0.63, 5: 0.3}.get(index, 0.001 * index)
        drop = {Outcome.FAIL: collapsed, Outcome.PASS: 0.002}.get(outcome, 0.015)
        return before, before - drop
    if not metric.higher_is_better:
        return 0.04 + 0.003 * index, 0.05 + 0.003 * index
    return 0.95 - 0.02 * index, 0.94 - 0.02 * index


def _row(index: int, group: GroupKey, metrics: Sequence[MetricKey], outcome: Outcome) -> GroupRow:
    rows, subjects = 3221 // (1 + index), max(2, 22 // (1 + index))
    comparisons = []
    for metric in metrics:
        if metric.class_ == "F" and index > 5:
            none = NotMeasurable(reason="no row of class F in this group", rows=0, subjects=0)
            comparisons.append(MetricComparison(metric=metric, before=none, after=none, worsening=none))
        else:
            comparisons.append(compare(metric, *_values(metric, index, outcome), rows=rows, subjects=subjects))
    return GroupRow(group=group, rows=rows * 4, subjects=subjects, metrics=tuple(comparisons))


def _drop_finding(row: GroupRow, metric: MetricKey, place: int, verdict: Outcome) -> Finding:
    value = next(each for each in row.metrics if each.metric == metric).worsening
    outcome = Outcome.PASS
    if isinstance(value, Measured) and value.estimate > 0.02:
        outcome = Outcome.FAIL
    elif not isinstance(value, Measured) or (verdict is Outcome.INCONCLUSIVE and row.rows < 2000):
        outcome = Outcome.INCONCLUSIVE
    reasons = {
        Outcome.FAIL: "",
        Outcome.PASS: "",
        Outcome.INCONCLUSIVE: "; the interval lies on both sides of that limit, so the data do not decide",
    }
    return Finding(
        id=f"max_drop/{metric.name}/{metric.class_}/{row.group.label}",
        stage="fairness",
        rule=f"fairness[{place}]",
        claim=f"{row.group.label}: {metric.label} falls by at most 0.02 against the float model",
        group=row.group,
        value=value or NotMeasurable(reason="no float model was given", rows=0),
        limit=0.02,
        limit_kind="at_most",
        outcome=outcome,
        reason=f"{row.group.label}: {metric.label} {_seen(value)}{reasons[outcome]}",
    )


def _seen(value: Measurement | None) -> str:
    if not isinstance(value, Measured) or value.interval is None:
        return "cannot be judged"
    low, high = value.interval.low, value.interval.high
    interval = f"(95 % interval {low:.3f} to {high:.3f})"
    return f"fell by {value.estimate:g} {interval} on {value.rows} rows; at most 0.02 is allowed"


def _other_findings() -> tuple[Finding, ...]:
    def passed(id_: str, stage: str, rule: str, claim: str, value: Measurement, limit: float, kind: str) -> Finding:
        return Finding.model_validate(
            {
                "id": id_,
                "stage": stage,
                "rule": rule,
                "claim": claim,
                "group": GroupKey(),
                "value": value,
                "limit": limit,
                "limit_kind": kind,
                "outcome": Outcome.PASS,
                "reason": "within the limit",
            }
        )

    gap = passed(
        "max_gap/false_alarm_rate/sex",
        "fairness",
        "fairness[1]",
        "between groups of sex: false alarm rate differs by at most 0.05 on the device",
        worsening(0.031),
        0.05,
        "at_most",
    )
    return (
        gap.model_copy(update={"group": GroupKey(by=("sex",))}),
        passed(
            "min/accuracy",
            "fairness",
            "fairness[2]",
            "overall: accuracy is at least 0.7 on the device",
            measured(0.752),
            0.7,
            "at_least",
        ),
        passed(
            "device/flash", "device", "target", "fits the flash", Measured(estimate=27720, rows=0), 2097152, "at_most"
        ),
        passed("device/arena", "device", "target", "fits the RAM", Measured(estimate=23144, rows=0), 655360, "at_most"),
        passed(
            "membership/overall", "privacy", "privacy[0]", "weak attack, losses only", measured(0.012), 0.05, "at_most"
        ),
        passed(
            "blob_scan",
            "privacy",
            "privacy[1]",
            "nothing private in the blob",
            Measured(estimate=0, rows=0),
            0,
            "at_most",
        ),
    )


def _verdict(findings: Sequence[Finding]) -> Verdict:
    counts = {outcome: sum(f.outcome is outcome for f in findings) for outcome in Outcome}
    outcome = next((o for o in (Outcome.FAIL, Outcome.INCONCLUSIVE) if counts[o]), Outcome.PASS)
    decisive = [f for f in findings if f.outcome is outcome]
    if outcome is Outcome.PASS:
        return Verdict(outcome=outcome, reasons=(), counts=counts)
    reasons = tuple(f.reason for f in decisive)
    return Verdict(outcome=outcome, reasons=reasons, counts=counts)


def _split(name: str, letter: str, rows: int, subjects: int) -> SplitPart:
    return SplitPart.model_validate(
        {
            "name": name,
            "file": f"{name}.npz",
            "sha256": sha(letter),
            "rows": rows,
            "subjects": subjects,
            "classes": {"N": rows - 4900, "S": 1800, "V": 2700, "F": 400},
            "groups": {
                "sex": {"F": rows // 3, "M": rows - rows // 3},
                "age_band": {"0-44": 4000, "45-64": rows - 13000, "65-119": 9000},
            },
        }
    )


def make_evidence(
    outcome: Outcome = Outcome.FAIL,
    *,
    groups: Sequence[GroupKey] = GROUPS,
    metrics: Sequence[MetricKey] = METRICS,
    ruled: Sequence[MetricKey] = (RECALL_OF_V,),
    synthetic: bool = False,
    sealed: bool | None = None,
) -> Evidence:
    """A whole run that comes to `outcome`.

    Args:
        outcome: what the verdict shall be.
        groups: of the before/after table.
        metrics: of each group.
        ruled: metrics that may fall by 0.02 at most in every group.
        synthetic: whether the data are generated.
        sealed: whether there is an image; by default where the outcome is PASS.
    """
    rows = tuple(_row(index, group, metrics, outcome) for index, group in enumerate(groups))
    document = dict(DOCUMENT)
    places = [0, *range(len(document["fairness"]), len(document["fairness"]) + len(ruled) - 1)]
    document["fairness"] = [
        *document["fairness"],
        *({"metric": m.name, "class": m.class_, "max_drop": 0.02, "groups": ["sex"]} for m in ruled[1:]),
    ]
    drops = [_drop_finding(row, m, place, outcome) for place, m in zip(places, ruled, strict=True) for row in rows]
    findings = (*drops, *_other_findings())
    verdict = _verdict(findings)
    return Evidence(
        run=Run(
            id="2026-03-02-wearable-ecg",
            command="ship",
            created="2026-03-02T14:05:11Z",
            tool="audit 0.1.0",
            libraries={"tensorflow": "2.21.0", "tflite-micro": "0.dev20261023182759", "fairlearn": "0.15.0"},
            seed=0,
        ),
        policy=PolicyPart(name="wearable-ecg", file="policy.yaml", sha256=sha("b"), document=document),
        data=DataPart(
            name="mit-bih-arrhythmia",
            description="Single heart beats of 44 people, inter-patient split, two leads.",
            source="Moody & Mark 2001, PhysioNet, ODC-By 1.0",
            synthetic=synthetic,
            sha256=sha("c"),
            classes=CLASSES,
            alarm_classes=("S", "V", "F"),
            splits=(
                _split("train", "1", 46000, 18),
                _split("calibration", "2", 15000, 4),
                _split("evaluation", "3", 49661, 22),
            ),
        ),
        source=SourcePart(
            file="ecg.h5",
            format="keras-h5",
            sha256=sha("d"),
            size_bytes=276_480,
            parameters=19_604,
            input_shape=(128, 4),
            output_shape=(4,),
            layers=(
                Layer(name="conv1d", kind="Conv1D", parameters=1_056),
                Layer(name="dense", kind="Dense", parameters=260),
            ),
        ),
        candidate=CandidatePart(
            sha256=sha("e"),
            size_bytes=27_720,
            zipped_bytes=14_012,
            seed=0,
            steps=(
                StepPart(
                    technique="prune_weights",
                    settings={"sparsity": 0.8, "epochs": 2, "schedule": "polynomial"},
                    notes=("80.0 % of 19,172 weights are zero; the .tflite does not shrink by it",),
                ),
                StepPart(technique="quantize", settings={"scheme": "int8", "calibration_rows": 500}),
            ),
        ),
        footprint=Footprint(
            board="nucleo-l4r5zi",
            board_source="STM32L4R5ZI data sheet DS12023",
            flash_bytes=27_720,
            flash_limit=2_097_152,
            arena_bytes=23_144,
            arena_limit=655_360,
            macs=1_204_224,
            operators=(
                OperatorCount(name="CONV_2D", count=4, supported=True),
                OperatorCount(name="FULLY_CONNECTED", count=2, supported=True),
                OperatorCount(name="SOFTMAX", count=1, supported=True),
            ),
            fits=True,
        ),
        kernels=KernelCheck(
            authority="tflite-micro",
            used="litert-reference",
            sample_rows=256,
            differing_rows=0,
            largest_step=0,
            note="LiteRT's reference kernels gave the bytes of tflite-micro on every sampled row",
        ),
        groups=rows,
        membership=tuple(
            MembershipPart(
                model=model,
                group=group,
                fpr_target=0.01,
                fpr=measured(0.009, 20_000, None, 0.001),
                tpr=measured(0.012, 46_000, None, 0.001),
                auc=0.513,
            )
            for group in GROUPS[:3]
            for model in ("float", "device")
        ),
        blob_scan=BlobScan(
            scanned_bytes=27_720,
            training_rows=46_000,
            encodings=("float32", "int8"),
            hits=(BlobHit(kind="path", offset=1212, detail="a home directory"),) if outcome is Outcome.FAIL else (),
        ),
        findings=findings,
        verdict=verdict,
        trail=TrailPart(policy_index=41, size=46, root=sha("9")),
        seal=_seal() if (outcome is Outcome.PASS if sealed is None else sealed) else None,
    )


def _seal() -> SealPart:
    return SealPart(
        image_sha256=sha("f"),
        image_bytes=28_912,
        version="1.4.0",
        security_counter=7,
        signer=sha("5"),
        recipient=sha("6"),
        verdict_sha256=sha("7"),
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "</style></svg><img src=x onerror=alert(1)>",
    "a|b`c`|d",
    "line one\n\n# line two",
    "[bold red]not red[/]",
    "\x1b[31mred\x1b[0m",
    "\u202egpj.exe",
    "😀👩\u200d👩\u200d👧",
    "x" * 200,
    "漢字" * 60,
    "{{ 7 * 7 }}{% raw %}",
    "$HOME `id` 'quote' \"double\"",
    "https://evil.example/x",
    "&amp;<b>",
    "\u0000\ufffe",
)
"""Group values that would break a page, a table or a terminal that trusts them."""


def hostile_evidence() -> Evidence:
    """A run whose groups, classes, names and reasons are out to break the report."""
    groups = (GroupKey(), *(GroupKey(by=("sex",), values=(value,)) for value in HOSTILE))
    metrics = (METRICS[0], MetricKey(name="recall", class_=HOSTILE[0], higher_is_better=True))
    evidence = make_evidence(groups=groups, metrics=metrics, ruled=metrics[1:])
    document = {
        **evidence.policy.document,
        "fairness": [{"metric": "recall", "class": HOSTILE[0], "max_drop": 0.02, "groups": ["sex"]}],
    }
    return evidence.model_copy(
        update={
            "policy": evidence.policy.model_copy(update={"document": document, "name": HOSTILE[1]}),
            "run": evidence.run.model_copy(update={"id": "$(reboot); rm -rf '/'\n```"}),
            "data": evidence.data.model_copy(update={"name": HOSTILE[2], "description": HOSTILE[3]}),
        }
    )
