"""One run as one frozen document: every renderer, the gate and the attestations read this and nothing else.

Each stage below `ship` gives the part of `Evidence` that bears its name; `measurement.py` has the words they share.
`Evidence.canonical()` gives the bytes that are hashed and written to `evidence.json`. What is signed, logged and
checked later is drawn from the document, its JSON values: a file that an older version wrote keeps the document it was
written with, though the value that is read from it has gained fields since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.findings import Exemplars, Finding, GroupRow
from audit_pipeline.measurement import Count, GroupKey, Outcome, Part, Sha256
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.privacy_part import BlobScan, MembershipPart, MitigationPart, PrivacyBudget, PrivacyPart
from audit_pipeline.seal_part import SealPart
from audit_pipeline.waiver_part import WaiverPart, WaiverUse


class Run(Part):
    """When, by what and from what this document was made."""

    id: str
    command: str
    created: str = Field(description="UTC, ISO 8601")
    tool: str
    libraries: dict[str, str]
    seed: int


class SplitPart(Part):
    """One split of the data set."""

    name: Literal["train", "calibration", "evaluation"]
    file: str
    sha256: Sha256
    rows: Count
    subjects: Count | None
    classes: dict[str, int] = Field(description="rows by class")
    groups: dict[str, dict[str, int]] = Field(description="rows by group column and value")


class InputPart(Part):
    """One of several inputs of a model."""

    name: str
    shape: tuple[int, ...] = Field(description="without the batch dimension")


class DataPart(Part):
    """The data set: what it is and what it holds, never a row of it."""

    name: str
    description: str
    source: str
    synthetic: bool
    sha256: Sha256 = Field(description="over the manifest's and the splits' digests")
    classes: tuple[str, ...] = Field(description="none for a regression")
    alarm_classes: tuple[str, ...]
    splits: tuple[SplitPart, ...]
    task: Literal["classification", "anomaly", "regression"] = "classification"
    threshold: float | None = Field(
        default=None, description="score above which a row is of the second class; null where the highest score decides"
    )
    score: Literal["output", "reconstruction_error"] = Field(
        default="output", description="where an anomaly score comes from"
    )
    unit: str | None = Field(default=None, description="unit of a regression's labels; null where none was named")
    row_seconds: float | None = Field(default=None, description="time that a row covers; null where none was named")
    class_weights: dict[str, float] | None = Field(
        default=None, description="how much a row of each class counts in training; null where all count the same"
    )
    inputs: tuple[InputPart, ...] = Field(
        default=(), description="what a row is made of, in order, where the model has several inputs; else none"
    )
    lawful_basis: str | None = Field(default=None, description="why the data may be used; null where none was named")
    differential_privacy: PrivacyBudget | None = Field(
        default=None, description="what the training is claimed to keep; null where nothing is claimed"
    )
    retention_until: str | None = Field(
        default=None, description="the last day on which the data may be used, ISO 8601; null where none was named"
    )


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
    input_shape: tuple[int, ...] = Field(
        description="without the batch dimension; of several inputs, how many values they take together"
    )
    inputs: tuple[InputPart, ...] = Field(default=(), description="several inputs, in the model's order; else none")
    output_shape: tuple[int, ...]
    layers: tuple[Layer, ...]


class StepPart(Part):
    """One step of the recipe as it was carried out."""

    technique: str
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    parameters: Count | None = Field(default=None, description="of the model after this step")
    zeros: Count | None = Field(default=None, description="of these, how many are zero")
    size_bytes: Count | None = Field(default=None, description="of the .tflite, where the step made one")
    zipped_bytes: Count | None = None


class TrialPart(Part):
    """One recipe as a search tried it, in the last round that it reached."""

    number: Count = Field(description="in the order the recipes were proposed, from 0")
    label: str = Field(description="the recipe in a few words")
    recipe: tuple[dict[str, Any], ...]
    round: Count = Field(description="the last round it reached, from 0")
    epochs: Count = Field(description="of training in that round")
    size_bytes: Count | None = Field(default=None, description="of the .tflite; null where it could not be made")
    arena_bytes: Count | None = None
    macs: Count | None = None
    lifted: tuple[str, ...] = Field(default=(), description="operators lifted to int16x8")
    worst_drop: float | None = Field(
        default=None,
        description="largest loss of balanced accuracy (or rise of the error) against the float model in "
        "any group, on the people the search chooses by",
    )
    worst_group: GroupKey | None = None
    violation: float | None = Field(
        default=None, description="how far the worst of the policy's fairness rules is broken there; negative is kept"
    )
    on_front: bool = Field(default=False, description="no other trial is smaller and better for its worst group")
    chosen: bool = False
    reason: str = Field(description="why it went on, was dropped or was chosen")


class SearchPart(Part):
    """A search for the smallest model that the policy's fairness rules accept, and what it chose by."""

    trials: tuple[TrialPart, ...]
    rounds: tuple[str, ...] = Field(description="what each round gave and asked, in words")
    chosen_by: str = Field(description="the rows and people it chose by, in words; never the evaluation split")
    selection_rows: Count
    selection_subjects: Count | None
    evaluation_passes: Count = Field(description="how often a candidate was run over rows to measure groups")
    complete: bool = Field(description="false where the time limit ended it")
    keeps_rules: bool = Field(description="whether what was chosen keeps every fairness rule on the rows chosen by")


class CandidatePart(Part):
    """What is meant to run on the device."""

    sha256: Sha256
    size_bytes: Count
    zipped_bytes: Count
    seed: int
    steps: tuple[StepPart, ...]
    search: SearchPart | None = Field(default=None, description="null where the policy gave the recipe")


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


class Verdict(Part):
    """The answer, and the findings that made it so."""

    outcome: Outcome
    reasons: tuple[str, ...] = Field(description="of the findings that stand in the way; none of those that are waived")
    counts: dict[Outcome, int] = Field(description="of the findings as they were found, waived or not")
    waived: tuple[WaiverUse, ...] = Field(default=(), description="what each of the waivers did, in their order")


class TrailPart(Part):
    """Where the run stands in the log: the head after its findings were entered."""

    policy_index: Count = Field(description="entry that registered the policy before anything was evaluated")
    size: Count
    root: Sha256


class Origin(Part):
    """The run whose findings were decided again: what its own evidence says where this one says something else.

    With these parts in their place, and without waivers and origin, this document is that run's to the byte.
    """

    run: Run
    verdict: Verdict
    trail: TrailPart


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
    exemplars: Exemplars | None = Field(default=None, description="null without a float model or without classes")
    membership: tuple[MembershipPart, ...]
    blob_scan: BlobScan | None
    privacy: PrivacyPart | None = Field(
        default=None, description="null where the weak attack was all that was asked for"
    )
    mitigations: tuple[MitigationPart, ...] = ()
    findings: tuple[Finding, ...]
    waivers: tuple[WaiverPart, ...] = Field(default=(), description="those that the verdict was given under")
    verdict: Verdict
    trail: TrailPart | None = None
    origin: Origin | None = Field(
        default=None, description="where nothing was measured: the run that was decided again under the waivers"
    )
    seal: SealPart | None = None

    def canonical(self) -> bytes:
        """Canonical JSON of the document (see `canonical_json`)."""
        return canonical_json(self.to_json())


def unsealed_sha256(document: Mapping[str, Any]) -> str:
    """Digest of an evidence document without its seal: what the verdict attestation signs, before there is an image."""
    return sha256_hex(canonical_json({**document, "seal": None}))
