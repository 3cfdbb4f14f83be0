"""What protecting the training people costs every group: the candidate beside the one without each protection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict

from audit_pipeline.answers import KERNEL_SAMPLE_ROWS
from audit_pipeline.canonical import sha256_file
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.outputs import unprotected
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import split_digest
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.arena import try_in_tflite_micro
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.before_after import before_after, group_specs
from audit_pipeline.evaluate.changes import find_changes
from audit_pipeline.evaluate.compare import compare
from audit_pipeline.evidence import CandidatePart
from audit_pipeline.findings import GroupRow
from audit_pipeline.inputs import Inputs
from audit_pipeline.measurement import Part
from audit_pipeline.memory import Memory
from audit_pipeline.policy.privacy import CanariesRule, DisparityRule, MembershipRule
from audit_pipeline.policy.recipe import Compress, QuantizeStep, Recipe, RecipeStep, TrainPrivateStep, students
from audit_pipeline.policy.steps import Training
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy_part import MitigationPart
from audit_pipeline.progress import Progress

_CODE = ("compress", "data", "model", "policy", "strict_yaml")
"""The packages whose code a candidate follows from."""
_REGULARISING: dict[str, Any] = {"patience": None, "weight_decay": 0.0, "label_smoothing": 0.0}
"""Settings of training that keep a model from learning rows by heart, and what they are where they are left out."""

_Make = Callable[[], bytes]


class _Kept(Part):
    """The bytes that a recipe gave, as they are remembered."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    tflite: bytes


@dataclass(frozen=True)
class _Protection:
    """One protecting setting of a recipe."""

    technique: str
    settings: dict[str, object]
    make: _Make
    """Gives the .tflite without it."""


def mitigations(
    inputs: Inputs, candidate: Candidate, after: Predictions, progress: Progress, memory: Memory
) -> tuple[MitigationPart, ...]:
    """Compare the candidate, group by group on the device, with what it would be without each protection.

    Private training and coarser outputs are always protections. Early stopping, weight decay and label smoothing are
    where the policy asks how much is given away of the training people: leaving one out takes a training of its own.

    Args:
        inputs: policy, population and source; a search, or a finished .tflite, has no protection.
        candidate: what ships.
        after: what the device says of the evaluation split with the candidate.
        progress: told how far each step is.
        memory: of models that were made for this before.
    """
    section = inputs.policy.value.compress
    if section is None or section.recipe is None or inputs.source.is_finished:
        return ()
    kept = Memory(memory.folder, _CODE)
    return tuple(
        _compared(protection, inputs, candidate, after, progress)
        for protection in _protections(section, inputs, candidate, progress, kept)
    )


def _protections(
    section: Compress, inputs: Inputs, candidate: Candidate, progress: Progress, memory: Memory
) -> Iterator[_Protection]:
    assert section.recipe is not None, "a search has no protection"  # noqa: S101
    asked = any(isinstance(rule, MembershipRule | DisparityRule | CanariesRule) for rule in _rules(inputs))

    def without(recipe: Recipe) -> _Make:
        return lambda: _made(section.model_copy(update={"recipe": recipe}), inputs, progress, memory)

    for number, step in enumerate(section.recipe):
        before, behind = section.recipe[:number], section.recipe[number + 1 :]
        if isinstance(step, TrainPrivateStep):
            settings = step.train_private.model_dump(mode="json")
            yield _Protection("train_private", settings, without((*before, *behind)))
        elif asked and (settings := _regularisation(step)):
            plain = without((*before, _unregularised(step), *behind))
            yield _Protection(f"regularisation of {_trained(step)[0]}", settings, plain)
        if isinstance(step, QuantizeStep) and step.quantize.outputs is not None:
            coarse = step.quantize.outputs.model_dump(mode="json", exclude_none=True)
            technique = "output rounding" if "round" in coarse else "the top class alone"
            yield _Protection(technique, coarse, lambda: unprotected(candidate.tflite))


def _rules(inputs: Inputs) -> tuple[object, ...]:
    return tuple(inputs.policy.value.privacy_rules)


def _trained(step: RecipeStep) -> tuple[str, Training | None]:
    """A step's technique, and how it trains."""
    technique, settings = next(iter(step))
    if isinstance(step, QuantizeStep):
        return technique, step.quantize.aware
    return technique, settings if isinstance(settings, Training) else None


def _regularisation(step: RecipeStep) -> dict[str, object]:
    """Those settings of a step that keep it from learning by heart."""
    _, training = _trained(step)
    if training is None:
        return {}
    return {key: value for key, none in _REGULARISING.items() if (value := getattr(training, key)) != none}


def _unregularised(step: RecipeStep) -> RecipeStep:
    technique, training = _trained(step)
    assert training is not None, "it has settings of training"  # noqa: S101
    plain: Any = training.model_copy(update=_REGULARISING | {"average": training.averages})
    if isinstance(step, QuantizeStep):
        plain = step.quantize.model_copy(update={"aware": plain})
    return step.model_copy(update={technique: plain})


def _made(section: Compress, inputs: Inputs, progress: Progress, memory: Memory) -> bytes:
    """The .tflite of a recipe, made or remembered."""
    data, folder = inputs.population.development, inputs.policy.path.parent
    question: dict[str, Any] = {
        "source": inputs.source.part.sha256,
        "data": data.part.model_dump(mode="json", exclude={"splits"}),
        "train": split_digest(data.train),
        "calibration": split_digest(data.calibration),
        "recipe": [step.model_dump(mode="json") for step in section.recipe or ()],
        "students": [sha256_file(folder / name) for _, name in students(section)],
        "seed": section.seed,
    }
    return memory.recall(
        question, _Kept, lambda: _Kept(tflite=compress(inputs.source, section, data, progress, folder=folder).tflite)
    ).tflite


def _compared(
    protection: _Protection, inputs: Inputs, candidate: Candidate, after: Predictions, progress: Progress
) -> MitigationPart:
    def told(step: str, done: float) -> None:
        progress(f"{step}, without {protection.technique}", done)

    groups: tuple[GroupRow, ...] = ()
    reason: str | None = None
    try:
        groups = _rows(inputs, _predicted(inputs, protection.make(), candidate.part, told), after, candidate.part.seed)
    except InputError as error:
        reason = f"the candidate without it cannot be had: {error}"
    return MitigationPart(technique=protection.technique, settings=protection.settings, groups=groups, reason=reason)


def _predicted(inputs: Inputs, tflite: bytes, part: CandidatePart, progress: Progress) -> Predictions:
    """What the device would say of the evaluation split with another candidate."""
    trial = try_in_tflite_micro(tflite)
    if trial.arena_bytes is None:
        raise InputError("device.not-runnable", f"tflite-micro does not run it ({trial.reason})")
    split = inputs.population.evaluation
    sample = stratified_sample(split, KERNEL_SAMPLE_ROWS, part.seed)
    return predict_device(Candidate(tflite, part), split.x, sample, inputs.population.reading, progress)[0]


def _rows(inputs: Inputs, without: Predictions, after: Predictions, seed: int) -> tuple[GroupRow, ...]:
    policy, population = inputs.policy.value, inputs.population
    specs = group_specs(population, policy.fairness)
    _, table = before_after(population, policy.fairness, specs, without, after)
    return compare(table, find_changes(table, seed), policy.statistics.confidence)
