"""The settings of a recipe's step in words: those that matter, as the policy's own schema reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from audit_pipeline.policy.protection import Outputs, TrainPrivate
from audit_pipeline.policy.recipe import Search
from audit_pipeline.policy.steps import Cluster, Distill, FineTune, PruneNeurons, PruneWeights, Quantize, Training
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.report.wording import NAME_CELLS, brief, count, items, level, limit

SETTINGS: dict[str, type[BaseModel]] = {
    "train_private": TrainPrivate,
    "prune_weights": PruneWeights,
    "prune_neurons": PruneNeurons,
    "fine_tune": FineTune,
    "distill": Distill,
    "cluster": Cluster,
    "quantize": Quantize,
}
"""How each technique's settings are read."""
_MOST_NAMES = 6
"""Operators that are named one by one; evidence.json holds all."""
_TRAINED_WITH = ("optimizer", "loss")
"""What a step adds to its settings once it knows."""
_IN_NOTES = ("epsilon_spent", "noise_used", "rate", "steps", "units")
"""What private training adds besides, and its notes say in one sentence."""


def settings_in_words(technique: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What a step was told to do, as clauses, what matters most first: `80% of the weights`, `polynomial schedule`.

    Settings that this version does not know, or cannot read, stand as they are.
    """
    kind = SETTINGS.get(technique)
    known = {key: value for key, value in settings.items() if kind is not None and key in kind.model_fields}
    others = {key: value for key, value in settings.items() if key not in known}
    try:
        read = None if kind is None else kind.model_validate_json(json.dumps(known))
    except ValidationError:
        read, others = None, dict(settings)
    if read is None:
        return tuple(_as_they_stand(others))
    if isinstance(read, TrainPrivate):
        others = {key: value for key, value in others.items() if key not in _IN_NOTES}
    trained = [brief(str(others.pop(key)), NAME_CELLS) for key in _TRAINED_WITH if key in others]
    clauses = [*_words(read), *([*_training(read), *trained] if isinstance(read, Training) else trained)]
    return (*clauses, *_as_they_stand(others))


def search_in_words(settings: Search) -> tuple[str, ...]:
    """What a search was told to do, as clauses, what matters most first."""
    clauses = [f"{count(settings.trials, 'trial')} at most", f"{count(settings.epochs, 'epoch')} of training at most"]
    if settings.seconds is not None:
        clauses.append(f"no recipe begun after {count(settings.seconds, 'second')}")
    groups = "every group column" if settings.groups is None else brief(settings.groups, NAME_CELLS)
    clauses.append(f"the worst group of {groups} minded")
    if settings.holdout:
        clauses.append(f"{level(settings.holdout)} of the train split's people held out to choose by")
    if settings.margin:
        clauses.append(f"rules kept with {limit(settings.margin)} to spare")
    lifted = count(settings.most_lifted, "operator")
    return (*clauses, f"{lifted} lifted to int16x8 at most" if settings.most_lifted else "no operator lifted")


def _as_they_stand(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in items(settings):
        yield f"{brief(key, NAME_CELLS)} {brief(str(value), NAME_CELLS)}"


def _words(settings: object) -> Iterator[str]:
    match settings:
        case TrainPrivate():
            yield from _trained_privately(settings)
        case PruneWeights():
            yield from _pruned_weights(settings)
        case PruneNeurons():
            yield from _pruned_neurons(settings)
        case Distill():
            yield from _distilled(settings)
        case Cluster():
            yield f"{count(settings.clusters, 'value')} a layer at most"
        case Quantize():
            yield from _quantized(settings)


def _trained_privately(settings: TrainPrivate) -> Iterator[str]:
    whom = "every row" if settings.unit == "rows" else "every person"
    if settings.epsilon is not None:
        yield f"epsilon {limit(settings.epsilon)} for {whom} at delta {settings.delta:g}"
    if settings.noise is not None:
        yield f"noise {limit(settings.noise)} for {whom}, at delta {settings.delta:g}"
    yield f"gradients clipped to {limit(settings.clip)}"
    yield f"{count(settings.epochs, 'epoch')} at a learning rate of {limit(settings.learning_rate)}"
    yield f"batches of {count(settings.batch_size)} expected"
    if settings.unit == "people":
        yield f"at most {count(settings.rows_each, 'row')} of a person a step"
    yield "noise from a secret" if settings.secret else "noise from the recipe's seed, which is no secret"


def _pruned_weights(settings: PruneWeights) -> Iterator[str]:
    share = "two of every four weights" if settings.sparsity is None else f"{level(settings.sparsity)} of the weights"
    height, width = settings.block
    yield f"{share}, in blocks of {height} × {width}" if settings.pattern == "block" else share
    yield f"{settings.schedule} schedule"


def _pruned_neurons(settings: PruneNeurons) -> Iterator[str]:
    where = "of every layer" if settings.scope == "layer" else "of all layers together"
    yield f"{level(settings.ratio)} of the filters and units {where}"
    rows, asked = f"on {count(settings.rows, 'row')}", _of(settings.groups)
    yield {
        "l1": "the smallest first (L1 norm)",
        "taylor": f"the least needed first (Taylor score {rows})",
        "worst_group": f"the least needed first, by the group{asked} that needs each most (Taylor score {rows})",
    }[settings.importance]


def _of(groups: str) -> str:
    return "" if groups == OVERALL else f" of {brief(groups, NAME_CELLS)}"


def _distilled(settings: Distill) -> Iterator[str]:
    if settings.student is not None:
        yield f"student from {brief(settings.student, NAME_CELLS)}"
    elif settings.width is not None:
        yield f"student: the source at {level(settings.width)} of its width, from scratch"
    else:
        yield "student: the model as it stood"
    yield f"temperature {limit(settings.temperature)}"
    yield f"{level(settings.weight)} of the loss from the source's answers"
    if settings.blend:
        yield "rows mixed in pairs"


def _quantized(settings: Quantize) -> Iterator[str]:
    yield {
        "int8": "int8",
        "int16x8": "int16x8: int16 activations over int8 weights",
        "mixed": "int8, some operators int16x8",
    }[settings.scheme]
    if isinstance(settings.lift, int):
        yield f"{count(settings.lift, 'operator')} lifted, by what they cost the worst group{_of(settings.groups)}"
    elif settings.lift is not None:
        yield f"lifted: {names(settings.lift)}"
    if settings.aware is not None:
        yield f"trained with int8's rounding in the loop: {', '.join(_training(settings.aware))}"
    yield count(settings.calibration_rows, "calibration row")
    if settings.outputs is not None:
        yield _coarser(settings.outputs)


def _coarser(outputs: Outputs) -> str:
    if outputs.round is None:
        return "the device gives the top class alone"
    return f"outputs rounded on the device, {count(outputs.round, 'step')} from end to end"


def _training(settings: Training) -> Iterator[str]:
    falling = ", falling along a cosine" if settings.decay == "cosine" else ""
    yield f"{count(settings.epochs, 'epoch')} at a learning rate of {limit(settings.learning_rate)}{falling}"
    yield f"batches of {count(settings.batch_size)}"
    if settings.sampling == "square_root":
        yield "classes and people drawn by the square root of their rows"
    if settings.averages:
        yield "mean of the weights over the second half"
    if settings.balance != OVERALL:
        yield f"every group of {brief(settings.balance, NAME_CELLS)} counts the same"
    if settings.weight_decay:
        yield f"weights decay by {limit(settings.weight_decay)} × learning rate"
    if settings.label_smoothing:
        yield f"{level(settings.label_smoothing)} of each label spread over the classes"
    if settings.patience is not None:
        yield f"stops {count(settings.patience, 'epoch')} after the best"


def names(operators: tuple[str, ...]) -> str:
    """Operators by name, the first of them where there are many."""
    shown = ", ".join(brief(name, NAME_CELLS) for name in operators[:_MOST_NAMES])
    hidden = len(operators) - _MOST_NAMES
    return f"{shown} and {count(hidden)} more" if hidden > 0 else shown
