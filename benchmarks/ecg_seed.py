"""One seed of `benchmarks.ecg_search`: a float model, what a search makes of it, and what it is held against.

Each stage is a process of its own, `python -m benchmarks.ecg_seed STAGE --data DIR --work DIR --seed N`, so that the
memory of a search is its own, and leaves a file in the work folder, so that a run that was stopped goes on from there.
The evaluation split is predicted in the last stage alone, once for every model that was made by then.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.load import load_population
from audit_pipeline.data.population import Population, Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.evidence import CandidatePart
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.predict import predict_float
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.boards import find_board
from audit_pipeline.policy.recipe import Compress, Search
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.search.find import search

EXAMPLE = Path(__file__).parents[1] / "examples" / "ecg"
GROUPS = ("sex", "age_band")
ALLOWED = 0.02
"""Balanced accuracy that compression may cost a group."""
SEARCH = Search(trials=6, epochs=12)
HALF: tuple[dict[str, Any], ...] = (
    {"prune_neurons": {"ratio": 0.42, "groups": "sex*age_band"}},
    {"distill": {"epochs": 24}},
    {"quantize": {"scheme": "int8"}},
)
"""One recipe, set down before any model of this benchmark was judged: just under half of plain int8's bytes."""
RULES = (
    FairnessRule(metric="balanced_accuracy", max_drop=ALLOWED),
    *(
        FairnessRule.model_validate({"metric": "recall", "class": c, "max_drop": 4 * ALLOWED, "groups": GROUPS})
        for c in "NSVF"
    ),
)
"""A recall is a fourth of balanced accuracy. It is asked where a group has 30 beats of the class, as single ones would
decide elsewhere: of 1,027 beats of calibration 46 are S and 20 are F."""
MODELS = ("search", "half", "int8", "filters", "weights")
_SHARES = tuple(number / 400 for number in range(20, 380))
"""Of the filters of every layer, that the baseline may remove."""
_SAMPLE = 512
_FEWEST = 30
"""Beats of a class in a group below which its recall is left out of the second figure, as `min_group_size` has it."""


def main() -> None:
    """Carry out one stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, required=True, help="folder of prepare.py")
    parser.add_argument("--work", type=Path, required=True, help="folder of this seed")
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    STAGES[options.stage](options.data, options.work, options.seed)


def train(data: Path, work: Path, seed: int) -> None:
    """The float model, as the example trains it."""
    sys.path.insert(0, str(EXAMPLE))
    script = importlib.import_module("train")
    model = script.train(script.load(data / "train.npz"), script.Training(seed=seed))
    model.save(work / "model.h5", include_optimizer=False)


def find(data: Path, work: Path, seed: int) -> None:
    """The smallest model that costs no group more than allowed on the people a search chooses by."""
    population, source = _inputs(data, work)
    started = time.perf_counter()
    board = find_board("nucleo-l4r5zi")
    candidate = search(source, SEARCH, seed, population.development, RULES, Statistics(), board)
    assert candidate.part.search is not None, "a search says how it went"
    _keep(work, "search", candidate)
    _write(
        work / "search.json",
        {
            "seconds": time.perf_counter() - started,
            "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            "sha256": candidate.part.sha256,
            "trials": [trial.model_dump(mode="json") for trial in candidate.part.search.trials],
        },
    )


def repeat(data: Path, work: Path, seed: int) -> None:
    """The recipe that the search chose, once more."""
    population, source = _inputs(data, work)
    trials = json.loads((work / "search.json").read_text())["trials"]
    recipe = next(trial["recipe"] for trial in trials if trial["chosen"])
    candidate = compress(source, _section(recipe, seed), population.development)
    _write(work / "repeated.json", {"sha256": candidate.part.sha256})


def half(data: Path, work: Path, seed: int) -> None:
    """One recipe that ends just under half of plain int8's bytes."""
    population, source = _inputs(data, work)
    _keep(work, "half", compress(source, _section(list(HALF), seed), population.development))


def baselines(data: Path, work: Path, seed: int) -> None:
    """What is done today: plain int8; uniform filter pruning by L1 down to the search's bytes; weight pruning."""
    population, source = _inputs(data, work)
    teaching = {"epochs": SEARCH.epochs}

    def make(*steps: dict[str, Any], rows: Population = population) -> Candidate:
        return compress(source, _section([*steps, {"quantize": {"scheme": "int8"}}], seed), rows.development)

    def pruned(share: float) -> dict[str, Any]:
        return {"prune_neurons": {"ratio": share, "importance": "l1", "scope": "layer"}}

    _keep(work, "int8", make())
    few = replace(population, calibration=population.calibration.take(np.arange(32)))
    wanted = (work / "search.tflite").stat().st_size
    share = _nearest(lambda share: make(pruned(share), rows=few).part.size_bytes, wanted)
    _keep(work, "filters", make(pruned(share), {"fine_tune": teaching}))
    _keep(work, "weights", make({"prune_weights": teaching | {"sparsity": 0.8}}))


def judge(data: Path, work: Path, seed: int) -> None:
    """Balanced accuracy by group, of the float model and of every candidate in the device's arithmetic."""
    population, source = _inputs(data, work)
    rows = population.evaluation
    found = {"float": _by_group(rows, predict_float(source, rows.x, population.reading).labels)}
    sample = stratified_sample(rows, _SAMPLE, seed)
    for name in MODELS:
        after, _ = predict_device(_kept(work, name), rows.x, sample, population.reading)
        found[name] = _by_group(rows, after.labels)
    sizes = {name: (work / f"{name}.tflite").stat().st_size for name in MODELS}
    _write(work / "judged.json", {"bytes": sizes, "balanced_accuracy": found})


STAGES: dict[str, Callable[[Path, Path, int], None]] = {
    "train": train,
    "find": find,
    "half": half,
    "baselines": baselines,
    "repeat": repeat,
    "judge": judge,
}


def _inputs(data: Path, work: Path) -> tuple[Population, SourceModel]:
    return load_population(data / "dataset.yaml"), inspect_model(work / "model.h5")


def _section(recipe: list[dict[str, Any]], seed: int) -> Compress:
    return Compress.model_validate_json(json.dumps({"recipe": recipe, "seed": seed}))


def _nearest(size: Callable[[float], int], wanted: int) -> float:
    """The share whose size is nearest to the one wanted; sizes fall as shares rise."""
    low, high = 0, len(_SHARES) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(_SHARES[middle]) > wanted else (low, middle)
    return min((_SHARES[low], _SHARES[high]), key=lambda share: abs(size(share) - wanted))


def _by_group(rows: Split, predicted: Any) -> dict[str, dict[str, float]]:
    """Group → mean recall over the classes that occur in it, and over those that occur often enough."""
    found = {}
    for spec in (*GROUPS, "*".join(GROUPS)):
        for key, inside in rows.members(spec):
            hits = {c: predicted[inside & (rows.y == c)] == c for c in np.unique(rows.y[inside])}
            often = [hit.mean() for hit in hits.values() if len(hit) >= _FEWEST]
            found[f"{spec}={' '.join(key.values)}"] = {
                "present": float(np.mean([hit.mean() for hit in hits.values()])),
                "often": float(np.mean(often)),
            }
    return found


def _keep(work: Path, name: str, candidate: Candidate) -> None:
    _write(work / f"{name}.part.json", candidate.part.model_dump(mode="json"))
    (work / f"{name}.tflite").write_bytes(candidate.tflite)


def _kept(work: Path, name: str) -> Candidate:
    part = CandidatePart.model_validate_json((work / f"{name}.part.json").read_bytes())
    return Candidate((work / f"{name}.tflite").read_bytes(), part)


def _write(path: Path, value: Any) -> None:
    """Beside its place first: a file that is there is whole."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(value, indent=1))
    beside.replace(path)


if __name__ == "__main__":
    main()
