"""Removal of whole filters and units: the one kind of pruning that makes tensors, and so flash and time, smaller.

What hangs together is found from the graph (`neurons.channels`), what matters least is chosen (`neurons.importance`,
`neurons.choice`) and a smaller model is built of the rest (`neurons.surgery`). Nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.neurons.channels import Wiring, kept, wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.compress.neurons.importance import importance
from audit_pipeline.compress.neurons.surgery import without
from audit_pipeline.compress.neurons.unnest import unnested
from audit_pipeline.compress.neurons.weights import MIXING
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.steps import PruneNeurons
from audit_pipeline.progress import Progress


def prune_neurons(
    model: Any, settings: PruneNeurons, lesson: Lesson, seed: int, progress: Progress
) -> tuple[Any, StepPart]:
    """Remove the filters and units that matter least.

    Args:
        model: an uncompiled tf_keras model; it is not changed.
        settings: the step as the policy writes it.
        lesson: what importance is measured on, and the loss.
        seed: of the draw of rows.
        progress: told the share of rows that importance was measured on.

    Returns:
        The smaller model, without nested ones: their layers are its own; and the step as it was carried out.

    Raises:
        InputError: `compress.nothing-to-prune`: nothing can go, or the ratio is too small for one filter to go.
    """
    model = unnested(model)
    wiring = wire(model)
    if not wiring.units:
        raise _nothing("no filter or unit of this model can go", wiring)
    found = importance(model, wiring, settings, lesson, seed, progress)
    gone = choose(wiring, found.scores, settings.ratio, settings.scope)
    if not gone.any():
        raise _nothing(f"no layer has so many filters or units that a share of {settings.ratio:g} is one", wiring)
    smaller = without(model, wiring, gone)
    return smaller, StepPart(
        technique="prune_neurons",
        settings=settings.model_dump(mode="json"),
        notes=(*_notes(model, smaller, wiring, gone), *found.notes),
    )


def _nothing(what: str, wiring: Wiring) -> InputError:
    why = "; ".join(_left_whole(wiring))
    return InputError(
        "compress.nothing-to-prune",
        f"{what}{f' ({why})' if why else ''}",
        hint="leave prune_neurons out of the recipe, or set a larger ratio",
    )


def _notes(model: Any, smaller: Any, wiring: Wiring, gone: NDArray[np.bool_]) -> Iterator[str]:
    before, after = model.count_params(), smaller.count_params()
    yield f"parameters {before} → {after}: tensors are smaller, and with them flash and the time of a prediction"
    removed = [
        f"{call.layer.name} {np.count_nonzero(~stays)} of {len(stays)}"
        for call in wiring.graph.calls
        if call.kind in MIXING
        for stays in [kept(wiring.ends[call.layer.name].outputs[0], gone)]
        if not stays.all()
    ]
    yield f"filters and units removed: {', '.join(removed)}"
    if coupled := [" + ".join(family.layers) for family in wiring.families if len(family.layers) > 1]:
        yield f"coupled, so that the same filters go in all of them: {'; '.join(coupled)}"
    if whole := _left_whole(wiring):
        yield f"left whole: {'; '.join(whole)}"


def _left_whole(wiring: Wiring) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for layer, reason in wiring.whole.items():
        reasons.setdefault(reason, []).append(layer)
    return [f"{', '.join(layers)}, as {reason}" for reason, layers in reasons.items()]
