"""Operators that int8 cannot hold, found by ranking, against finding them by lifting one operator at a time.

The ECG example's model loses next to nothing in int8, so operators are made hard without changing what the float model
computes: a channel that the next layer hardly uses is scaled up before a ReLU, and the next layer's weights for it down
(ReLU is positively homogeneous). The whole tensor then shares a range that one channel fills, and the others are left
with a few steps each: what MobileNets are known for. One, two or three operators are made hard in a draw.

The reference lifts each operator in turn, runs the calibration rows through the device's arithmetic, and keeps the one
after which the worst group's balanced accuracy has dropped least (ties: its log loss has risen least). It starts again
with that one lifted, as many rounds as operators are to be found: with two hard operators, the second is hidden behind
the first. Only its first round counts as its passes. Calibration rows alone are used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.fallback import rank_operators
from audit_pipeline.compress.float_graph import FloatGraph, float_graph
from audit_pipeline.compress.mixed import mixed
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.data.population import Split
from audit_pipeline.data.split import read_split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.interpreters import run, tflite_micro
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_inputs
from audit_pipeline.strict_yaml import load
from audit_pipeline.tflite import read_graph
from benchmarks.table import Row, conclude

_EXAMPLE = Path(__file__).parents[1] / "examples" / "ecg"
_DRAWS = range(9, 18)
"""Seeds. Draws 0 to 8 shaped this benchmark (how hard a channel has to be, and the reference), so others are judged."""
_ROWS = 500
_GROUPS = "sex"
_RANKING_PASSES = 3
"""Of the rows through a model: for the ranges, forward, and backward."""
_LEAST, _MOST = 60.0, 250.0
"""How many times the range of all others the hard channel has."""


@dataclass(frozen=True)
class Found:
    """One draw."""

    planted: frozenset[str]
    ranked: frozenset[str]
    reverted: frozenset[str]
    passes: int
    """Of the reference's first round."""
    drop: float
    """Of the worst group's balanced accuracy in int8, without anything lifted."""


def main() -> None:
    """Draw, find, and print the table."""
    if not (_EXAMPLE / "work" / "calibration.npz").is_file():
        sys.exit("examples/ecg/work is not there: run examples/ecg/prepare.py first")
    conclude("fallback", rows())


def rows() -> list[Row]:
    """The figures of the ranking."""
    found = [_draw(seed) for seed in _DRAWS]
    same = [each.ranked == each.reverted for each in found]
    planted = [each.ranked == each.planted for each in found]
    return [
        Row("hard draws: worst group's drop in int8, mean", float(np.mean([e.drop for e in found])), "", at_least=0.1),
        Row("operators found by ranking that reverting finds too", float(np.mean(same)), "of draws", at_least=1.0),
        Row("operators found by ranking that were made hard", float(np.mean(planted)), "of draws", at_least=1.0),
        Row(
            "passes of reverting, for each of ranking", min(e.passes for e in found) / _RANKING_PASSES, "×", at_least=5
        ),
    ]


def _draw(seed: int) -> Found:
    random = np.random.default_rng(seed)
    keras_runtime(seed)
    model = load_keras(inspect_model(_EXAMPLE / "model.h5"))
    split = read_split(load(_EXAMPLE / "work" / "dataset.yaml", Manifest, "data"), "calibration").split
    split = split.take(stratified_sample(split, _ROWS, seed))
    sites = _sites(model)
    chosen = random.choice(len(sites), 1 + seed % 3, replace=False)
    for number in chosen:
        _harden(model, *sites[number], split.x, random)
    source = float_graph(model, split.x)
    ranked = [each.name for each in rank_operators(model, source, split, _GROUPS)]
    before = _quality(model.predict(split.x, verbose=0), split)
    reverted, passes = _revert(source, ranked, split, before, len(chosen))
    return Found(
        planted=frozenset(sites[number][0].name for number in chosen),
        ranked=frozenset(ranked[: len(chosen)]),
        reverted=frozenset(reverted),
        passes=passes,
        drop=_cost(source, (), split, before)[0],
    )


def _sites(model: Any) -> list[tuple[Any, Any, Any]]:
    """Layers with weights, the ReLU behind each and the one layer with weights that reads it."""
    found = []
    for reader in model.layers:
        if not isinstance(reader, keras().layers.Conv2D | keras().layers.Dense):
            continue
        rectified = reader.input.node.layer
        while isinstance(rectified, keras().layers.Dropout):
            rectified = rectified.input.node.layer
        writer = rectified
        if isinstance(writer, keras().layers.ReLU):
            writer = writer.input.node.layer
        scaled = writer
        if isinstance(scaled, keras().layers.BatchNormalization):
            scaled = scaled.input.node.layer
        if isinstance(scaled, keras().layers.Conv2D | keras().layers.Dense) and len(rectified.outbound_nodes) == 1:
            found.append((scaled, rectified, reader))
    return found


def _harden(
    model: Any, scaled: Any, rectified: Any, reader: Any, x: NDArray[np.float32], random: np.random.Generator
) -> None:
    """Let a channel that is hardly used take nearly the whole range."""
    outputs = keras().Model(model.inputs, rectified.output).predict(x, verbose=0)
    outputs = outputs.reshape(-1, outputs.shape[-1])
    weights = reader.get_weights()
    used = outputs.mean(axis=0) * np.abs(weights[0]).reshape(-1, *weights[0].shape[-2:]).sum(axis=(0, 2))
    alive = np.flatnonzero(outputs.max(axis=0) > 0)
    channel = random.choice(alive[np.argsort(used[alive])][: max(1, len(alive) // 4)])
    factor = np.exp(random.uniform(np.log(_LEAST), np.log(_MOST))) * outputs.max() / outputs[:, channel].max()
    weights[0][..., channel, :] /= factor
    reader.set_weights(weights)
    normalised = scaled.outbound_nodes[0].layer
    layer = normalised if isinstance(normalised, keras().layers.BatchNormalization) else scaled
    scale, shift, *rest = layer.get_weights()
    scale[..., channel] *= factor
    shift[channel] *= factor
    layer.set_weights([scale, shift, *rest])


def _revert(
    source: FloatGraph, names: list[str], split: Split, before: NDArray[np.float64], rounds: int
) -> tuple[list[str], int]:
    """Lift the operator that helps most, so many times; and the passes of the first round."""
    lifted: list[str] = []
    for _ in range(rounds):
        left = [name for name in names if name not in lifted]
        lifted.append(min(left, key=lambda name: _cost(source, (*lifted, name), split, before)))
    return lifted, 2 + len(names)  # one for the ranges, one without anything lifted


def _cost(source: FloatGraph, lifted: Iterable[str], split: Split, before: NDArray[np.float64]) -> tuple[float, float]:
    """The worst group's drop of balanced accuracy, and the largest rise of its log loss."""
    tflite = mixed(source, lifted)
    main = read_graph(tflite).main
    q = quantize_inputs(split.x, [main.tensors[index] for index in main.inputs])
    after = _quality(dequantize_output(run(tflite_micro(tflite), q, "", silent), main.tensors[main.outputs[0]]), split)
    drop, rise = (before - after).max(axis=0)
    return float(drop), float(rise)


def _quality(scores: NDArray[np.float32], split: Split) -> NDArray[np.float64]:
    """[groups, 2] balanced accuracy, and the mean log likelihood with every class counting the same."""
    own = scores[np.arange(len(split)), split.y]
    measured = np.stack([scores.argmax(axis=1) == split.y, np.log(np.maximum(own, 1 / 512))], axis=1)
    groups = []
    for _, inside in split.members(_GROUPS):
        classes = np.unique(split.y[inside])
        groups.append(np.mean([measured[inside & (split.y == each)].mean(axis=0) for each in classes], axis=0))
    return np.array(groups)


if __name__ == "__main__":
    main()
