"""Which int8 operators cost the worst group most: those to lift to int16x8 first.

The reference is to lift one operator at a time and to measure every group each time, which runs all rows once for each
operator. Here one forward and one backward run of the float model give every operator's share (`sensitivity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.float_graph import FloatGraph
from audit_pipeline.compress.mixed import MOVING, mixed, operator_names
from audit_pipeline.compress.sensitivity import sensitivity
from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.measurement import GroupKey
from audit_pipeline.progress import Progress, silent
from audit_pipeline.tflite import Tensor, read_graph


@dataclass(frozen=True)
class Ranked:
    """An operator and what its rounding to int8 costs."""

    name: str
    """By its output tensor."""
    group: GroupKey
    """The group in which the operators together cost most; the same for all."""
    score: float
    """There: an upper estimate of the balanced accuracy that is lost by this operator alone; of a regression, the mean
    change of the value, of an autoencoder that of the squared error."""


def rank_operators(
    model: Any, source: FloatGraph, split: Split, groups: str, progress: Progress = silent
) -> tuple[Ranked, ...]:
    """Rank the operators that round, the one that costs the worst group most first.

    Args:
        model: the tf_keras model.
        source: `float_graph(model, split.x)`.
        split: calibration rows with their labels and groups.
        groups: the group spec among which the worst is looked for.
        progress: told how far the work is.

    Returns:
        Operators that only pass values on are left out, and those whose output the converter made up and the Keras
        model does not know.

    Raises:
        InputError: `compress.unrankable`; as `mixed`; and for a group column that the data do not have.
    """
    members = split.members(groups)
    found = sensitivity(model, source, _rounded(source), split, progress)
    if not found.names:
        raise InputError(
            "compress.unrankable",
            "no operator of the .tflite could be found in the Keras model, so none can be ranked",
            where="quantize.lift",
            hint=f"name the operators to lift: {', '.join(operator_names(source.graph))}",
        )
    harm = np.stack([_balanced(found.effects, found.counted, split.y, inside) for _, inside in members])
    worst = int(np.argmax(harm.sum(axis=1)))
    order = np.argsort(-harm[worst], kind="stable")
    return tuple(Ranked(found.names[place], members[worst][0], float(harm[worst, place])) for place in order)


def _rounded(source: FloatGraph) -> dict[str, Tensor]:
    """Outputs of the operators that round, as int8 has them, in the order they run."""
    main = read_graph(mixed(source, ())).main
    rounding = (operator for operator in main.operators if operator.name not in MOVING)
    outputs = (main.tensors[operator.outputs[0]] for operator in rounding)
    return {tensor.name: tensor for tensor in outputs if tensor.name in source.ranges}


def _balanced(
    effects: NDArray[np.float64], counted: NDArray[np.bool_], y: NDArray[np.int64], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """[operators] mean effect in a group, in which every class counts the same and rows not counted lose nothing."""
    classes = np.unique(y[inside])
    shares = [(effects * counted)[:, inside & (y == each)].mean(axis=1) for each in classes]
    return np.asarray(np.mean(shares, axis=0))
