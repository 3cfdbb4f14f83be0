"""What each protection of a recipe is worth on UCI Adult, and what it costs each race: a table of docs/compression.md.

    python -m benchmarks.privacy_mitigation

A network of two times 128 units learns 4,000 people by heart; each recipe makes a device model of it. The attacker
knows the true class and sees nothing but the device's answer: the AUC is that of how sure the device is of it, members
against the 27,561 others, with a standard error of 0.005. What whoever holds the blob reads are the outputs as they
were before they were made coarser.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.outputs import unprotected
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import Development, Split
from audit_pipeline.device.interpreters import litert_reference, run
from audit_pipeline.evidence import DataPart
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.runtime import keras_runtime, quiet
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_inputs
from audit_pipeline.tflite import read_graph
from benchmarks.adult_networks import ADULT, load_adult
from benchmarks.table import Row, conclude

_SEED = 1
_MEMBERS, _CALIBRATION = 4000, 1000
_PRIVATE: dict[str, Any] = {"epochs": 30, "batch_size": 256, "learning_rate": 2e-3, "delta": 1e-5}
_TUNED: dict[str, Any] = {"epochs": 60, "batch_size": 64}
RECIPES: dict[str, list[dict[str, Any]]] = {
    "int8": [{"quantize": {}}],
    "outputs: round 16": [{"quantize": {"outputs": {"round": 16}}}],
    "outputs: round 4": [{"quantize": {"outputs": {"round": 4}}}],
    "outputs: top 1": [{"quantize": {"outputs": {"top": 1}}}],
    "fine_tune": [{"fine_tune": _TUNED}, {"quantize": {}}],
    "fine_tune, weight_decay 0.3": [{"fine_tune": _TUNED | {"weight_decay": 0.3}}, {"quantize": {}}],
    "fine_tune, label_smoothing 0.2": [{"fine_tune": _TUNED | {"label_smoothing": 0.2}}, {"quantize": {}}],
    "train_private, epsilon 8": [{"train_private": _PRIVATE | {"epsilon": 8.0}}, {"quantize": {}}],
    "train_private, epsilon 1": [{"train_private": _PRIVATE | {"epsilon": 1.0}}, {"quantize": {}}],
}


@dataclass(frozen=True)
class Tried:
    """One recipe's device model."""

    auc: float
    """Of members against strangers, by the device's answers."""
    auc_of_blob: float
    """The same by what the blob computes before outputs are made coarser."""
    accuracy: float
    """Balanced, on strangers."""
    by_race: dict[str, float]
    """Balanced accuracy."""
    seconds: float


def rows() -> list[Row]:
    """The figures; none, with the reason printed, where the data are not there."""
    if not ADULT.is_file():
        print(f"skipped: {ADULT.name} of the UCI Adult data set is not in shared/data/adult")
        return []
    members, calibration, strangers = _splits()
    with tempfile.TemporaryDirectory() as folder:
        source = inspect_model(_learnt_by_heart(members, Path(folder) / "adult.h5"))
        data = Development(_part(), members, calibration)
        tried = {}
        for name, steps in RECIPES.items():
            started = time.perf_counter()
            section = Compress.model_validate({"recipe": tuple(steps), "seed": _SEED})
            made = compress(source, section, data, silent)
            tried[name] = _measured(made.tflite, members, strangers, time.perf_counter() - started)
    _print(tried, strangers)
    plain, private = tried["int8"], tried["train_private, epsilon 8"]
    return [
        Row("Adult by heart: AUC of members, int8", plain.auc, "", at_least=0.55),
        Row("the same, outputs: top 1", tried["outputs: top 1"].auc, "", at_most=plain.auc),
        Row("the same, train_private at epsilon 8", private.auc, "", at_most=0.52),
        Row("its balanced accuracy, of int8's", private.accuracy / plain.accuracy, "", at_least=0.9),
    ]


def _splits() -> tuple[Split, Split, Split]:
    data = load_adult()
    order = np.random.default_rng(_SEED).permutation(len(data.y))
    parts = np.split(order, [_MEMBERS, _MEMBERS + _CALIBRATION])
    one, two, three = (Split(data.x[rows], data.y[rows], {"race": data.race[rows]}, None) for rows in parts)
    return one, two, three


def _part() -> DataPart:
    return DataPart(
        name="adult",
        description="income by census",
        source="UCI Adult",
        synthetic=False,
        sha256="0" * 64,
        classes=("<=50K", ">50K"),
        alarm_classes=(),
        splits=(),
    )


def _learnt_by_heart(members: Split, path: Path) -> Path:
    keras = keras_runtime(_SEED)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(members.x.shape[1:]),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    model.fit(members.x, members.y, epochs=100, batch_size=64, verbose=0)
    with quiet():
        model.save(path)
    return path


def _measured(tflite: bytes, members: Split, strangers: Split, seconds: float) -> Tried:
    from sklearn.metrics import roc_auc_score

    is_member = np.repeat([1, 0], [len(members), len(strangers)])
    aucs = []
    for each in (tflite, unprotected(tflite)):
        sure = [_answers(each, split)[np.arange(len(split)), split.y] for split in (members, strangers)]
        aucs.append(float(roc_auc_score(is_member, np.concatenate(sure))))
    said = _answers(tflite, strangers).argmax(axis=1)
    races = {key.label: _balanced(said[inside], strangers.y[inside]) for key, inside in strangers.members("race")}
    return Tried(aucs[0], aucs[1], _balanced(said, strangers.y), races, seconds)


def _answers(tflite: bytes, split: Split) -> NDArray[np.float32]:
    """[rows, 2] as LiteRT's reference kernels give them, which is within a step of the device's and far faster."""
    main = read_graph(tflite).main
    q = quantize_inputs(split.x, [main.tensors[index] for index in main.inputs])
    return dequantize_output(run(litert_reference(tflite), q, "", silent), main.tensors[main.outputs[0]])


def _balanced(said: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    return float(np.mean([np.mean(said[truth == each] == each) for each in np.unique(truth)]))


def _print(tried: dict[str, Tried], strangers: Split) -> None:
    plain = tried["int8"]
    races = [name.removeprefix("race=") for name in plain.by_race]
    for key, inside in strangers.members("race"):
        print(f"{key.label}: {inside.sum()} strangers, {strangers.y[inside].sum()} of them with the higher income")
    print(f"| recipe | AUC by answers | by the blob | balanced accuracy | {' | '.join(races)} | made in |")
    print("|---" * (len(races) + 5) + "|")
    for name, each in tried.items():
        costs = [f"{each.by_race[race] - plain.by_race[race]:+.3f}" for race in plain.by_race]
        cells = [f"{each.auc:.3f}", f"{each.auc_of_blob:.3f}", f"{each.accuracy:.3f}", *costs, f"{each.seconds:.0f} s"]
        print(f"| {' | '.join([name, *cells])} |")


if __name__ == "__main__":
    found = rows()
    if not found:
        sys.exit(0)
    conclude("privacy_mitigation", found)
