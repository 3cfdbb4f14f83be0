"""What each technique does to flash, RAM, time and groups: one recipe each, on the demo's generated population.

Prints the table of `docs/compression.md` and holds the claims that the document makes against it. Time is the median of
one inference in tflite-micro on this machine, as a share of plain int8's: all recipes take turns, row by row.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.load import load_population
from audit_pipeline.data.population import Population, Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.demo.model import train
from audit_pipeline.demo.population import write_population
from audit_pipeline.device.footprint import measure
from audit_pipeline.device.interpreters import tflite_micro
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.evidence import Footprint
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.predict import predict_float
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.quantization import quantize_inputs
from audit_pipeline.tflite import read_graph
from benchmarks.table import Row, conclude

_SEED = 1
_TIMED_ROWS = 100
_GENTLE = {"epochs": 4, "batch_size": 32}
_INT8: dict[str, Any] = {"quantize": {"scheme": "int8"}}
_HALF: dict[str, Any] = {"prune_neurons": {"ratio": 0.5, "groups": "sex"}}
RECIPES: dict[str, list[dict[str, Any]]] = {
    "int8": [_INT8],
    "int8, trained with its rounding": [{"quantize": {"aware": _GENTLE | {"learning_rate": 1e-4}}}],
    "int16x8": [{"quantize": {"scheme": "int16x8"}}],
    "mixed, 2 lifted": [{"quantize": {"scheme": "mixed", "lift": 2, "groups": "sex"}}],
    "prune_weights 0.8": [{"prune_weights": _GENTLE | {"sparsity": 0.8}}, _INT8],
    "prune_weights 2:4": [{"prune_weights": _GENTLE | {"pattern": "2:4"}}, _INT8],
    "cluster 16": [{"cluster": _GENTLE | {"clusters": 16}}, _INT8],
    "prune_neurons 0.5": [_HALF, _INT8],
    "prune_neurons 0.5, fine_tune": [_HALF, {"fine_tune": _GENTLE}, _INT8],
    "prune_neurons 0.5, distill": [_HALF, {"distill": _GENTLE}, _INT8],
    "distill, width 0.5": [{"distill": _GENTLE | {"width": 0.5, "epochs": 12}}, _INT8],
}


@dataclass(frozen=True)
class Tried:
    """One recipe, carried out and measured."""

    candidate: Candidate
    footprint: Footprint
    seconds: float
    """To make the candidate."""
    accuracy: float
    worst_drop: float
    """Largest loss of balanced accuracy in a group against the float model."""
    worst_group: str


def main() -> None:
    """Carry out every recipe and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        write_population(world, seed=_SEED)
        train(world, seed=_SEED)
        population, source = load_population(world / "dataset.yaml"), inspect_model(world / "model.h5")
        before = predict_float(source, population.evaluation.x, population.reading).labels
        tried = {}
        for name, steps in RECIPES.items():
            section, started = Compress.model_validate({"recipe": tuple(steps), "seed": _SEED}), time.perf_counter()
            candidate = compress(source, section, population.development)
            tried[name] = _measured(candidate, population, before, time.perf_counter() - started)
        print(f"float: accuracy {np.mean(before == population.evaluation.y):.3f}")
    speed = _times({name: each.candidate.tflite for name, each in tried.items()}, population.evaluation)
    _print(tried, speed)
    conclude("techniques", _claims(tried, speed))


def _measured(candidate: Candidate, population: Population, before: NDArray[np.int64], seconds: float) -> Tried:
    split = population.evaluation
    footprint = measure(candidate, "none", "benchmark", 1 << 30, 1 << 30)
    after, _ = predict_device(candidate, split.x, stratified_sample(split, 256, _SEED), population.reading)
    drops = {
        group.label: _balanced_accuracy(before[inside], split.y[inside])
        - _balanced_accuracy(after.labels[inside], split.y[inside])
        for column in split.groups
        for group, inside in split.members(column)
    }
    worst = max(drops, key=lambda group: drops[group])
    return Tried(candidate, footprint, seconds, float(np.mean(after.labels == split.y)), drops[worst], worst)


def _balanced_accuracy(predicted: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Mean recall over the classes that occur."""
    return float(np.mean([np.mean(predicted[truth == each] == each) for each in np.unique(truth)]))


def _times(tflites: dict[str, bytes], split: Split) -> dict[str, float]:
    """Median seconds of an inference by recipe; the recipes take turns at every row."""
    runs = {}
    for name, tflite in tflites.items():
        main = read_graph(tflite).main
        rows = quantize_inputs(split.x[:_TIMED_ROWS], [main.tensors[index] for index in main.inputs])
        runs[name] = tflite_micro(tflite), rows
    taken: dict[str, list[float]] = {name: [] for name in tflites}
    for row in range(_TIMED_ROWS):
        for name, (invoke, rows) in runs.items():
            started = time.perf_counter()
            invoke(rows[row : row + 1])
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _print(tried: dict[str, Tried], speed: dict[str, float]) -> None:
    print("| recipe | flash | zipped | arena | MACs | time of int8's | made in | accuracy | worst group's drop |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, each in tried.items():
        arena = each.footprint.arena_bytes or 0
        cells = [
            name,
            f"{each.footprint.flash_bytes:,}",
            f"{each.candidate.part.zipped_bytes:,}",
            f"{arena:,}",
            f"{each.footprint.macs:,}",
            f"{speed[name] / speed['int8']:.2f}",
            f"{each.seconds:.0f} s",
            f"{each.accuracy:.3f}",
            f"{each.worst_drop:+.3f} ({each.worst_group})",
        ]
        print(f"| {' | '.join(cells)} |")


def _claims(tried: dict[str, Tried], speed: dict[str, float]) -> list[Row]:
    plain = tried["int8"]

    def flash(name: str) -> float:
        return tried[name].footprint.flash_bytes / plain.footprint.flash_bytes

    def zipped(name: str) -> float:
        return tried[name].candidate.part.zipped_bytes / plain.candidate.part.zipped_bytes

    return [
        Row("flash of prune_weights 0.8, of int8's", flash("prune_weights 0.8"), "", at_least=0.99),
        Row("zipped size of prune_weights 0.8, of int8's", zipped("prune_weights 0.8"), "", at_most=0.7),
        Row("zipped size of cluster 16, of int8's", zipped("cluster 16"), "", at_most=0.9),
        Row("flash of prune_neurons 0.5, of int8's", flash("prune_neurons 0.5"), "", at_most=0.7),
        Row("time of prune_neurons 0.5, of int8's", speed["prune_neurons 0.5"] / speed["int8"], "", at_most=0.7),
        Row("flash of distill with width 0.5, of int8's", flash("distill, width 0.5"), "", at_most=0.7),
        Row("flash of int16x8, of int8's", flash("int16x8"), "", at_most=1.25),
    ]


if __name__ == "__main__":
    main()
