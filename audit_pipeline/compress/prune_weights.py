"""Magnitude pruning of weights: the smallest of every layer become zero while the model is fine-tuned.

Singly, two of every four along the inputs, or in blocks of a layer's matrix: patterns that some kernels can skip.

Zhu & Gupta 2017, "To prune, or not to prune", by tensorflow-model-optimization. Zeros are stored like any other
weight, so this frees no flash; it makes the file compress better and, here, shows what it costs whom.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.training import copied, fit, steps, trained_part
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.runtime import keras, quiet
from audit_pipeline.policy.steps import PruneWeights
from audit_pipeline.progress import Progress

_RAMP = 0.75
"""Share of the steps over which the polynomial schedule reaches its sparsity; the rest lets the model recover."""

_TWO_OF_FOUR = 0.5

_UPDATES = 50
"""How often in a run the masks are computed anew, at most."""


def prune_weights(
    model: Any, settings: PruneWeights, lesson: Lesson, seed: int, progress: Progress
) -> tuple[Any, StepPart]:
    """Prune and fine-tune.

    Args:
        model: an uncompiled tf_keras model; it is not changed.
        settings: the step as the policy writes it.
        lesson: what to fine-tune on, and the loss.
        seed: of the order of the rows, of dropout and of who is held out.
        progress: told the share of epochs that are done.

    Returns:
        The pruned model, and the step as it was carried out.

    Raises:
        InputError: `compress.nothing-to-prune`, or as `fit`.
    """
    with quiet():
        import tensorflow_model_optimization as tfmot

    keras().utils.set_random_seed(seed)
    with quiet():
        schedule = _schedule(settings, steps(lesson, settings, seed))
        wrapped, weights, untouched = _wrapped(model, settings, schedule, tfmot.sparsity.keras)
        if not weights:
            raise InputError(
                "compress.nothing-to-prune",
                f"tensorflow-model-optimization can prune no layer of this model{_patterned(settings)}",
                hint="leave prune_weights out of the recipe",
            )
        notes = fit(
            wrapped,
            settings,
            lesson,
            seed,
            progress,
            "prune and fine-tune",
            callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
            settled=0 if schedule["config"].get("end_step") == -1 else math.ceil(_RAMP * settings.epochs),
        )
        pruned = copied(tfmot.sparsity.keras.strip_pruning(wrapped), seed)  # which joins some layers twice
    said = (*_notes(weights), *notes, *_left(untouched, settings))
    return pruned, trained_part("prune_weights", settings, lesson, said)


def _schedule(settings: PruneWeights, steps: int) -> dict[str, Any]:
    """The schedule in TFMOT's serialised form, with its last update on a step that is really taken."""
    frequency = max(1, steps // _UPDATES)
    end = min(max(frequency, int(_RAMP * (steps - 1)) // frequency * frequency), max(1, steps - 1))
    common = {"begin_step": 0, "frequency": frequency}
    if settings.schedule == "constant" or settings.sparsity is None:  # 2:4 is set in the first step, by no schedule
        return {
            "class_name": "ConstantSparsity",
            "config": common
            | {
                "target_sparsity": settings.sparsity or _TWO_OF_FOUR,
                "end_step": end if settings.averages else -1,  # a mean of epochs is as sparse where they agree
            },
        }
    return {
        "class_name": "PolynomialDecay",
        "config": common
        | {
            "initial_sparsity": 0.0,
            "final_sparsity": settings.sparsity,
            "power": 3,
            "end_step": end,
        },
    }


def _wrapped(
    model: Any, settings: PruneWeights, schedule: dict[str, Any], tfmot: Any
) -> tuple[Any, dict[str, list[Any]], list[str]]:
    """A copy with every prunable layer wrapped.

    Returns:
        The copy; the weights that will be pruned, by layer; the layers that have weights and cannot be pruned.
    """
    untouched: list[str] = []

    def wrap(layer: Any) -> Any:
        copy = type(layer).from_config(layer.get_config())
        if not layer.trainable_weights or type(layer).__name__ in _WITHOUT_KERNEL:
            return copy
        # A nested model: TFMOT wraps what is in it, and its weights no longer line up.
        if hasattr(layer, "layers") or not _takes(layer, settings):
            untouched.append(layer.name)
            return copy
        try:
            pruning = getattr(tfmot, schedule["class_name"])(**schedule["config"])
            return tfmot.prune_low_magnitude(copy, pruning_schedule=pruning, **_pattern(settings))
        except ValueError:
            untouched.append(layer.name)
            return copy

    wrapped = keras().models.clone_model(model, clone_function=wrap)
    weights: dict[str, list[Any]] = {}
    for source, target in zip(model.layers, wrapped.layers, strict=True):
        if type(target).__name__ != "PruneLowMagnitude":
            target.set_weights(source.get_weights())
            continue
        target.layer.set_weights(source.get_weights())
        if prunable := target.layer.get_prunable_weights():
            weights[source.name] = prunable
        else:
            untouched.append(source.name)
    return wrapped, weights, untouched


def _pattern(settings: PruneWeights) -> dict[str, Any]:
    if settings.pattern == "2:4":
        return {"sparsity_m_by_n": (2, 4)}
    return {"block_size": settings.block} if settings.pattern == "block" else {}


def _takes(layer: Any, settings: PruneWeights) -> bool:
    """Whether TFMOT has the pattern for such a layer; it finds out too late by itself."""
    if settings.pattern == "block":  # by two or more blocks each way: TFMOT squeezes what is left of fewer
        return type(layer).__name__ == "Dense" and all(
            size > side for size, side in zip(layer.kernel.shape, settings.block, strict=True)
        )
    return settings.pattern == "single" or type(layer).__name__ in ("Dense", "Conv2D")


_WITHOUT_KERNEL = frozenset({"BatchNormalization", "LayerNormalization", "GroupNormalization", "PReLU"})


def _notes(weights: dict[str, list[Any]]) -> tuple[str, ...]:
    values = [weight.numpy() for layer in weights.values() for weight in layer]
    total = sum(value.size for value in values)
    zeros = sum(int(np.count_nonzero(value == 0)) for value in values)
    return (
        f"{zeros} of {total} weights in {len(weights)} layers are zero",
        "zeros are stored like other weights: flash does not shrink, only the zipped size does",
    )


def _left(untouched: list[str], settings: PruneWeights) -> tuple[str, ...]:
    if not untouched:
        return ()
    patterned = _patterned(settings)
    return (f"left dense, as tensorflow-model-optimization does not prune them{patterned}: {', '.join(untouched)}",)


def _patterned(settings: PruneWeights) -> str:
    sides = "×".join(str(side) for side in settings.block)
    return {"single": "", "2:4": " two of four", "block": f" in blocks of {sides}"}[settings.pattern]
