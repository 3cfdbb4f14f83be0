"""A run as the stages would describe it: heart beats, four classes, a device that forgets one group or does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from report_findings import drop_finding, make_exemplars, measured, other_findings, worsening

from audit_pipeline.evidence import (
    CandidatePart,
    DataPart,
    Evidence,
    Footprint,
    KernelCheck,
    Layer,
    OperatorCount,
    Run,
    SourcePart,
    SplitPart,
    StepPart,
    TrailPart,
    Verdict,
)
from audit_pipeline.findings import Change, Finding, GroupRow, MetricComparison
from audit_pipeline.measurement import GroupKey, MetricKey, NotMeasurable, Outcome
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.privacy_part import BlobHit, BlobScan, MembershipPart
from audit_pipeline.seal_part import SealPart

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
SIGN_FLIPS = "9999 sign flips by subject; step-down max-T, Westfall & Young 1993"
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "name": "wearable-ecg",
    "human_centred": {
        "intended_use": "A wrist-worn recorder that warns its wearer of ventricular beats. It does not diagnose.",
        "affected": ["wearers", "their carers", "ambulance crews who are called for nothing"],
        "worst_error": {"class": "V", "kind": "missed", "harms": "the wearer, who is not warned"},
        "responsible": {"false_alarm": "Head of product, Acme Wearables", "missed_alarm": "Clinical safety officer"},
        "oversight": {"who_can_stop": "Clinical safety officer", "how_to_appeal": "safety@acme.example, five days"},
        "never_record": ["names or record numbers of wearers", "strips, or single beats"],
        "author": {"role": "Product owner, Acme Wearables"},
    },
    "data": {"manifest": "dataset.yaml"},
    "target": {"board": "nucleo-l4r5zi"},
    "compress": {"recipe": [{"prune_weights": {"sparsity": 0.8}}, {"quantize": {"scheme": "int8"}}], "seed": 0},
    "fairness": [
        {"metric": "recall", "class": "V", "max_drop": 0.02, "groups": ["overall", "sex", "age_band", "sex*age_band"]},
        {"metric": "false_alarm_rate", "max_gap": 0.05, "groups": ["sex"]},
        {"metric": "accuracy", "min": 0.7, "groups": ["overall"]},
        {"metric": "equalized_odds_difference", "max": 0.1, "groups": ["sex"]},
        {"metric": "demographic_parity_ratio", "min": 0.8, "groups": ["sex"]},
    ],
    "privacy": [
        {"attack": "membership", "fpr": 0.01, "max_tpr": 0.05, "groups": ["overall", "sex"]},
        {"attack": "blob_scan", "max_hits": 0},
    ],
}


def sha(letter: str) -> str:
    """A digest that is easy to tell from the others."""
    return letter * 64


def compare(metric: MetricKey, before: float, after: float, rows: int, subjects: int) -> MetricComparison:
    """One metric of one group, measured on both sides."""
    drop = before - after if metric.higher_is_better else after - before
    return MetricComparison(
        metric=metric,
        before=measured(before, rows, subjects),
        after=measured(after, rows, subjects),
        worsening=worsening(round(drop, 4), rows, subjects),
        change=Change(method=SIGN_FLIPS, p=0.0001 if drop > 0.02 else 0.31, adjusted_p=0.0004 if drop > 0.02 else 1.0),
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


def _verdict(findings: Sequence[Finding]) -> Verdict:
    counts = {outcome: sum(f.outcome is outcome for f in findings) for outcome in Outcome}
    outcome = next((o for o in (Outcome.FAIL, Outcome.INCONCLUSIVE) if counts[o]), Outcome.PASS)
    reasons = tuple(f.reason for f in findings if f.outcome is outcome) if outcome is not Outcome.PASS else ()
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
    drops = [drop_finding(row, m, place, outcome) for place, m in zip(places, ruled, strict=True) for row in rows]
    findings = (*drops, *other_findings())
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
        exemplars=make_exemplars(tuple(groups)[1:]),
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
