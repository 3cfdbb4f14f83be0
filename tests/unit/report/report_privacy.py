"""What every attack on the training people may leave in evidence, beside the sample run."""

from __future__ import annotations

from report_findings import measured, worsening
from report_sample import GROUPS, compare, make_evidence, sha

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import GroupRow
from audit_pipeline.measurement import GroupKey, Interval, MetricKey, NotMeasurable
from audit_pipeline.privacy_part import (
    AttributePart,
    BlobHit,
    BlobScan,
    CanariesPart,
    DisparityPart,
    ExposureChange,
    GroupExposure,
    MembershipPart,
    MitigationPart,
    PrivacyBudget,
    PrivacyPart,
    ShadowsPart,
)

WOMEN, MEN = GROUPS[1], GROUPS[2]
ACCURACY = MetricKey(name="accuracy", higher_is_better=True)


def attacked(group: GroupKey, tpr: float, **fields: object) -> MembershipPart:
    """One attack by shadows on the device."""
    values: dict[str, object] = {
        "model": "device",
        "group": group,
        "strength": "shadows",
        "attack": "student_t",
        "signal": "logits",
        "fpr_target": 0.01,
        "fpr_set": 0.0098,
        "fpr": measured(0.011),
        "tpr": measured(tpr),
        "auc": 0.61,
        "auc_interval": Interval(low=0.58, high=0.64, level=0.95, method="bootstrap"),
    }
    return MembershipPart.model_validate(values | fields)


def make_attacked() -> Evidence:
    """A run whose policy asked for every attack."""
    found = PrivacyPart(
        shadows=ShadowsPart(
            count=16,
            training="train:shadow",
            training_sha256=sha("f"),
            rows=8000,
            members=4000,
            subjects=43,
            halves_of="people",
            seed=0,
        ),
        disparities=(
            DisparityPart(
                model="device",
                attack="student_t",
                signal="logits",
                fpr_target=0.1,
                by=("sex",),
                groups=(
                    GroupExposure(group=WOMEN, advantage=worsening(0.21), pseudo_targets=0.19),
                    GroupExposure(
                        group=MEN, advantage=NotMeasurable(reason="4 people are too few", rows=90), pseudo_targets=None
                    ),
                ),
                gap=worsening(0.12),
                f=7.25,
                p=0.004,
            ),
        ),
        changes=(
            ExposureChange(
                group=WOMEN,
                attack="student_t",
                unit="rows",
                fpr_target=0.01,
                before=measured(0.141),
                after=measured(0.172),
                change=worsening(0.031),
            ),
        ),
        attributes=(
            AttributePart(
                model="device",
                column="sex",
                people="members",
                without=measured(0.52),
                with_model=measured(0.58),
                gain=worsening(0.06),
            ),
        ),
        canaries=(
            CanariesPart(
                model="device",
                signal="output",
                record_sha256=sha("e"),
                canaries=1000,
                guesses=600,
                correct=570,
                level=0.95,
                delta=1e-5,
                epsilon=2.513,
                ceiling=5.296,
            ),
        ),
        reasons=("people: 17 members are too few: 20 are needed",),
    )
    costs = GroupRow(group=WOMEN, rows=500, subjects=9, metrics=(compare(ACCURACY, 0.9, 0.87, 500, 9),))
    run = make_evidence()
    rules = [
        *run.policy.document["privacy"],
        {"attack": "membership", "attacker": "shadows", "fpr": 0.01, "max_tpr": 0.05},
    ]
    policy = run.policy.model_copy(update={"document": run.policy.document | {"privacy": {"rules": rules}}})
    return run.model_copy(
        update={
            "policy": policy,
            "membership": (
                *run.membership,
                attacked(WOMEN, 0.163, model="float"),
                attacked(WOMEN, 0.1, attack="rmia", signal="output"),
                attacked(WOMEN, 0.172),
                attacked(MEN, 0.4, unit="people"),
                attacked(MEN, 0.35, model="both", beside="the float model"),
            ),
            "privacy": found,
            "mitigations": (
                MitigationPart(technique="train_private", settings={"epsilon": 8}, groups=(costs,)),
                MitigationPart(technique="round", settings={}, groups=(), reason="the recipe has no other step"),
            ),
            "blob_scan": BlobScan(
                scanned_bytes=9000,
                training_rows=4000,
                encodings=("float32",),
                hits=(BlobHit(kind="host", offset=77, detail="host name, 14 characters", where="metadata notes"),),
            ),
            "data": run.data.model_copy(update={"differential_privacy": PrivacyBudget(epsilon=2.0, delta=1e-5)}),
        }
    )
