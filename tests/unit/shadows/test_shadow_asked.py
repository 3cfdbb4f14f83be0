"""What is read of a model, by its task and by how it ends; on the device nearly what the float model gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shadow_world import split

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.outputs import coarser
from audit_pipeline.data.population import Split
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import keras_runtime, quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.protection import Outputs
from audit_pipeline.predictions import Reading, Score, Task
from audit_pipeline.progress import silent
from audit_pipeline.shadows.asked import Signals, ask_device, ask_float

ROWS = split(range(6), 1)
CLASSES = Reading(Task.CLASSIFICATION)


def source(folder: Path, units: int, activation: str) -> SourceModel:
    keras = keras_runtime(seed=4)
    layers = keras.layers
    model = keras.Sequential([layers.Input((6,)), layers.Dense(units, activation=activation)])
    with quiet():
        model.save(folder / "model.h5")
    return inspect_model(folder / "model.h5")


def compressed(model: SourceModel) -> bytes:
    return convert(load_keras(model), ROWS.x, "int8", silent)


def both(model: SourceModel, rows: Split, reading: Reading) -> tuple[Signals, Signals]:
    """What the float model and the device's give away; the same signals, nearly alike."""
    before, after = ask_float(model, rows, reading), ask_device(compressed(model), rows, reading)
    assert before.keys() == after.keys()
    for signal, phi in before.items():
        assert 0 < np.abs(phi - after[signal]).mean() < 0.1
    return before, after


@pytest.mark.parametrize(
    ("units", "activation", "reading", "signals"),
    [
        (2, "linear", CLASSES, {"output"}),
        (1, "sigmoid", CLASSES, {"output", "logits"}),
        (1, "sigmoid", Reading(Task.ANOMALY, threshold=0.5), {"output", "logits"}),
        (6, "linear", Reading(Task.ANOMALY, 1.0, Score.RECONSTRUCTION_ERROR), {"output"}),
    ],
    ids=["logits", "one unit", "anomaly", "autoencoder"],
)
def test_logits_are_another_signal_where_the_model_has_them_and_a_class_is_true(
    tmp_path: Path, units: int, activation: str, reading: Reading, signals: set[str]
) -> None:
    before, _ = both(source(tmp_path, units, activation), ROWS, reading)
    assert before.keys() == signals
    if "logits" in signals:
        np.testing.assert_allclose(before["output"], before["logits"], atol=1e-5)


def test_a_regression_is_surer_the_nearer_it_comes(tmp_path: Path) -> None:
    model = source(tmp_path, 1, "linear")
    target = np.linspace(-1, 1, len(ROWS))
    before, _ = both(model, replace(ROWS, target=target), Reading(Task.REGRESSION))
    said = load_keras(model).predict_on_batch(ROWS.x)[:, 0]
    np.testing.assert_allclose(before["output"], -np.abs(said - target), atol=1e-6)


def test_what_the_device_rounds_is_read_from_its_file(tmp_path: Path) -> None:
    plain = compressed(source(tmp_path, 2, "linear"))
    rounded, _ = coarser(plain, Outputs.model_validate({"round": 3}))
    found, finer = ask_device(rounded, ROWS, CLASSES), ask_device(plain, ROWS, CLASSES)
    np.testing.assert_array_equal(found["logits"], finer["output"])
    assert len(np.unique(found["output"])) < len(np.unique(found["logits"]))
