"""One run as one frozen document: every renderer, the gate and the attestations read this and nothing else.

Each stage below `ship` gives the part of `Evidence` that bears its name. "Not measurable" is a type with a reason,
never a NaN. `Evidence.canonical()` gives the bytes that are hashed and written to `evidence.json`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit_pipeline.canonical import canonical_json, sha256_hex

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Base of every part: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Outcome(StrEnum):
    """The three answers to "does it hold?"."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Interval(Part):
    """A two-sided confidence interval and how it was made."""

    low: float
    high: float
    level: float
    method: str


class Measured(Part):
    """A number, with its interval and what stands behind it. An exact quantity (bytes) has no interval."""

    kind: Literal["measured"] = "measured"
    estimate: float
    interval: Interval | None = None
    rows: Count = Field(description="rows in the denominator")
    subjects: Count | None = Field(default=None, description="people behind those rows; null where none were named")


class NotMeasurable(Part):
    """A number that could not be had, and why."""

    kind: Literal["not-measurable"] = "not-measurable"
    reason: str
    rows: Count
    subjects: Count | None = None


Measurement = Annotated[Measured | NotMeasurable, Field(discriminator="kind")]


class GroupKey(Part):
    """A group of the population: the columns it is cut by and its value in each. Overall has none.

    Columns without values stand for all the groups they make, where a finding compares these with each other.
    """

    by: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_a_value_for_each_column(self) -> GroupKey:
        if self.values and len(self.values) != len(self.by):
            raise ValueError(f"{len(self.by)} columns and {len(self.values)} values")
        return self

    @property
    def label(self) -> str:
        """The group as people read it."""
        if self.by and not self.values:
            return f"between groups of {' × '.join(self.by)}"
        return ", ".join(f"{by}={value}" for by, value in zip(self.by, self.values, strict=True)) or "overall"


class MetricKey(Part):
    """A metric, of one class where it has one."""

    name: str
    class_: str | None = Field(default=None, alias="class", serialization_alias="class")
    higher_is_better: bool

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def label(self) -> str:
        """The metric as people read it."""
        words = self.name.replace("_", " ")
        return f"{words} of {self.class_}" if self.class_ is not None else words


class MetricComparison(Part):
    """One metric of one group, before and after compression, on the same rows."""

    metric: MetricKey
    before: Measurement | None = Field(description="float model; null where none was given")
    after: Measurement = Field(description="the device")
    worsening: Measurement | None = Field(description="paired difference, positive where the device is worse")


class GroupRow(Part):
    """One line of the before/after table."""

    group: GroupKey
    rows: Count
    subjects: Count | None
    metrics: tuple[MetricComparison, ...]


class Finding(Part):
    """One rule of the policy, applied to one group."""

    id: str = Field(description="stable across runs: rule kind, metric and group")
    stage: Literal["device", "fairness", "privacy"]
    rule: str = Field(description="where the rule stands in the policy, as `fairness[0]`")
    claim: str = Field(description="the rule in words")
    group: GroupKey
    value: Measurement
    limit: float
    limit_kind: Literal["at_most", "at_least"]
    outcome: Outcome
    reason: str


class Run(Part):
    """When, by what and from what this document was made."""

    id: str
    command: str
    created: str = Field(description="UTC, ISO 8601")
    tool: str
    libraries: dict[str, str]
    seed: int


class PolicyPart(Part):
    """The policy as it was read, whole."""

    name: str
    file: str
    sha256: Sha256 = Field(description="of the file's exact bytes")
    document: dict[str, Any]


class SplitPart(Part):
    """One split of the data set."""

    name: Literal["train", "calibration", "evaluation"]
    file: str
    sha256: Sha256
    rows: Count
    subjects: Count | None
    classes: dict[str, int] = Field(description="rows by class")
    groups: dict[str, dict[str, int]] = Field(description="rows by group column and value")


class DataPart(Part):
    """The data set: what it is and what it holds, never a row of it."""

    name: str
    description: str
    source: str
    synthetic: bool
    sha256: Sha256 = Field(description="over the manifest's and the splits' digests")
    classes: tuple[str, ...]
    alarm_classes: tuple[str, ...]
    splits: tuple[SplitPart, ...]


class Layer(Part):
    """One layer of the source model."""

    name: str
    kind: str
    parameters: Count


class SourcePart(Part):
    """The trained model as it was given."""

    file: str
    format: Literal["keras-h5", "keras-zip", "savedmodel", "tflite"]
    sha256: Sha256
    size_bytes: Count
    parameters: Count
    input_shape: tuple[int, ...] = Field(description="without the batch dimension")
    output_shape: tuple[int, ...]
    layers: tuple[Layer, ...]


class StepPart(Part):
    """One step of the recipe as it was carried out."""

    technique: str
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()


class CandidatePart(Part):
    """What is meant to run on the device."""

    sha256: Sha256
    size_bytes: Count
    zipped_bytes: Count
    seed: int
    steps: tuple[StepPart, ...]


class OperatorCount(Part):
    """One kind of operator in the graph."""

    name: str
    count: Count
    supported: bool = Field(description="whether tflite-micro has a kernel for it")


class Footprint(Part):
    """What the candidate needs and what the board has, in bytes and multiply-accumulates per inference."""

    board: str
    board_source: str
    flash_bytes: Count
    flash_limit: Count
    arena_bytes: Count | None = Field(description="tensor arena as tflite-micro allocates it; null if it cannot run")
    arena_limit: Count
    macs: Count
    operators: tuple[OperatorCount, ...]
    fits: bool


class KernelCheck(Part):
    """Whose arithmetic the device predictions are, and the proof that it is the device's."""

    authority: str
    used: Literal["litert-reference", "tflite-micro"]
    sample_rows: Count
    differing_rows: Count
    largest_step: Count = Field(description="largest difference seen, in quantization steps")
    note: str


class MembershipPart(Part):
    """A weak membership attack (losses only) on one model and one group."""

    model: Literal["float", "device"]
    group: GroupKey
    strength: Literal["weak"] = "weak"
    fpr_target: float
    fpr: Measurement = Field(description="attained on the half of the non-members that did not set the threshold")
    tpr: Measurement
    tpr_with_coin: float | None = Field(
        default=None,
        description="share recognised by an attacker who also takes rows tied at the threshold, by a coin that brings "
        "the false-positive rate to its target; null where there is no rate",
    )
    auc: float | None


class BlobHit(Part):
    """Something found in the blob that should not be there. Never its content."""

    kind: Literal["training-row", "path", "e-mail", "secret", "trailing-bytes"]
    offset: Count
    detail: str


class BlobScan(Part):
    """The search of the .tflite's bytes for what should not leave the house."""

    scanned_bytes: Count
    training_rows: Count
    encodings: tuple[str, ...]
    hits: tuple[BlobHit, ...]


class Verdict(Part):
    """The answer, and the findings that made it so."""

    outcome: Outcome
    reasons: tuple[str, ...]
    counts: dict[Outcome, int]


class TrailPart(Part):
    """Where the run stands in the log: the head after its findings were entered."""

    policy_index: Count = Field(description="entry that registered the policy before anything was evaluated")
    size: Count
    root: Sha256


class SealPart(Part):
    """The image, and the keys by fingerprint (SHA-256 of the SubjectPublicKeyInfo)."""

    image_sha256: Sha256
    image_bytes: Count
    version: str
    security_counter: int
    signer: Sha256
    recipient: Sha256
    verdict_sha256: Sha256 = Field(description="of the verdict attestation's payload, TLV 0xA0")


class Evidence(Part):
    """The whole run."""

    schema_version: Literal[1] = 1
    run: Run
    policy: PolicyPart
    data: DataPart
    source: SourcePart
    baseline: SourcePart | None = Field(default=None, description="float model behind a finished .tflite")
    candidate: CandidatePart
    footprint: Footprint
    kernels: KernelCheck | None = Field(description="null where the device cannot run the candidate")
    groups: tuple[GroupRow, ...]
    membership: tuple[MembershipPart, ...]
    blob_scan: BlobScan | None
    findings: tuple[Finding, ...]
    verdict: Verdict
    trail: TrailPart | None = None
    seal: SealPart | None = None

    def canonical(self) -> bytes:
        """Canonical JSON of the document (see `canonical_json`)."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    def unsealed_sha256(self) -> str:
        """Digest of the document without its seal: what the verdict attestation signs, before there is an image."""
        return sha256_hex(self.model_copy(update={"seal": None}).canonical())
