"""What was found out about the people a model was trained on. Parts of `Evidence`, in a file of their own.

What stands here is counts, rates and places: never a row, a person or the content of a find.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit_pipeline.findings import GroupRow
from audit_pipeline.measurement import Count, GroupKey, Interval, Measurement, Part, Sha256

Attacked = Literal["float", "device", "both"]
"""Which model an attacker holds; both: another version beside the device's."""
Attack = Literal["losses", "losses_by_class", "lira_online", "lira_offline", "rmia", "student_t", "student_t_shared"]
"""How rows are ordered: see docs/privacy.md."""
Signal = Literal["output", "logits"]
"""What of the model is read: its output, or the values before its softmax, which whoever holds the blob can read."""


class MembershipPart(Part):
    """One membership attack on one model and one group."""

    model: Attacked
    group: GroupKey
    strength: Literal["weak", "shadows"] = "weak"
    attack: Attack = "losses"
    signal: Signal = "output"
    unit: Literal["rows", "people"] = "rows"
    beside: str | None = Field(default=None, description="of model `both`: the other version, in words")
    fpr_target: float
    fpr_set: float | None = Field(
        default=None, description="attained where the threshold was set: on pseudo-targets; null for a weak attack"
    )
    fpr: Measurement = Field(description="attained on non-members of the model that did not set the threshold")
    tpr: Measurement
    tpr_with_coin: float | None = Field(
        default=None,
        description="share recognised by an attacker who also takes rows tied at the threshold, by a coin that brings "
        "the false-positive rate to its target; null where there is no rate",
    )
    tpr_at_own_fpr: float | None = Field(
        default=None,
        description="share recognised were the threshold set on this model's own non-members, with a coin likewise: it "
        "proves no leak, but stops a PASS whose threshold was too strict because the shadows are unlike the model",
    )
    auc: float | None
    auc_interval: Interval | None = None


class ShadowsPart(Part):
    """The models that the attacker trained."""

    count: Count
    training: str = Field(description="how, in words")
    training_sha256: Sha256 = Field(description="of the training function's module, or of the settings")
    rows: Count = Field(description="rows that were attacked, members and non-members of the target")
    members: Count
    subjects: Count | None
    halves_of: Literal["people", "rows"]
    seed: Count


class GroupExposure(Part):
    """How exposed one group is: TPR − FPR of the attack."""

    group: GroupKey
    advantage: Measurement = Field(description="on the target, by bootstrap")
    pseudo_targets: float | None = Field(description="mean over the shadows taken as targets")


class DisparityPart(Part):
    """Whether groups of one column are exposed alike (Kulynych et al. 2022)."""

    model: Attacked
    attack: Attack
    signal: Signal
    fpr_target: float
    by: tuple[str, ...]
    groups: tuple[GroupExposure, ...]
    gap: Measurement = Field(description="between the most and the least exposed, by bootstrap")
    gap_limit: float | None = Field(default=None, description="the policy's, that `gap_p` tests")
    gap_p: float | None = Field(
        default=None, description="p-value of no two groups differing by more; null where there are not two"
    )
    f: float | None = Field(description="statistic of the F-test over pseudo-targets; null where it cannot be had")
    p: float | None


class ExposureChange(Part):
    """What compression did to an attack's success in one group, on the same rows."""

    group: GroupKey
    attack: Attack
    signal: Signal = "output"
    unit: Literal["rows", "people"]
    fpr_target: float
    before: Measurement = Field(description="TPR on the float model")
    after: Measurement = Field(description="TPR on the device")
    change: Measurement = Field(description="after − before, by paired bootstrap")


class AttributePart(Part):
    """How well a group column is guessed, with the model's outputs and without, on people who were set aside."""

    model: Literal["float", "device"]
    column: str
    people: Literal["members", "non-members"]
    without: Measurement = Field(description="balanced accuracy of the guess from class and other columns alone")
    with_model: Measurement = Field(description="the same with the model's outputs")
    gain: Measurement = Field(description="paired difference")


class PrivacyBudget(Part):
    """A claim of differential privacy for the training."""

    epsilon: float = Field(gt=0)
    delta: float = Field(ge=0, lt=1)
    unit: Literal["rows", "people"] = "rows"


class CanariesPart(Part):
    """A one-run audit with planted rows (Steinke et al. 2023): empirical leakage, not a guarantee."""

    model: Literal["float", "device"]
    signal: Signal
    record_sha256: Sha256
    canaries: Count
    guesses: Count
    correct: Count
    level: float = Field(description="confidence of the bound")
    delta: float
    epsilon: float = Field(description="lower bound")
    ceiling: float = Field(description="the bound, were every guess right")
    distinct: Count | None = Field(default=None, description="different scores among the canaries")


class MitigationPart(Part):
    """What one step that protects training people costs every group: the candidate without it against that with it."""

    technique: str
    settings: dict[str, object]
    groups: tuple[GroupRow, ...] = Field(description="before: without the step; after: with it; both on the device")
    reason: str | None = Field(default=None, description="why there is no comparison")


class PrivacyPart(Part):
    """What was found by more than the weak attack."""

    shadows: ShadowsPart | None = None
    disparities: tuple[DisparityPart, ...] = ()
    changes: tuple[ExposureChange, ...] = ()
    attributes: tuple[AttributePart, ...] = ()
    canaries: tuple[CanariesPart, ...] = ()
    reasons: tuple[str, ...] = Field(default=(), description="why an attack that was asked for could not be made")


class BlobHit(Part):
    """Something found in the blob that should not be there. Never its content."""

    kind: Literal["training-row", "training-constant", "path", "host", "e-mail", "secret", "trailing-bytes"]
    offset: Count
    detail: str
    where: str = Field(default="model.tflite", description="what was searched, and of it which part if it has a name")


class BlobScan(Part):
    """The search of what ships for what should not leave the house."""

    scanned_bytes: Count
    training_rows: Count
    encodings: tuple[str, ...]
    hits: tuple[BlobHit, ...]
