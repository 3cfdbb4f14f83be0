from __future__ import annotations

import numpy as np
import pytest

from audit_pipeline.demo import model as demo_model
from audit_pipeline.demo.population import write_population
from audit_pipeline.model.runtime import keras


@pytest.fixture
def folder(tmp_path):
    write_population(tmp_path, seed=2)
    return tmp_path


def test_one_epoch_already_separates_most_beats_and_progress_is_told(folder, monkeypatch):
    monkeypatch.setattr(demo_model, "_EPOCHS", 1)
    told = []
    path = demo_model.train(folder, 2, lambda step, done: told.append((step, done)))
    model = keras().models.load_model(path)
    assert model.count_params() < 20_000
    with np.load(folder / "evaluation.npz", allow_pickle=False) as file:
        x, y = file["x"][::10], file["y"][::10]
    predicted = np.array(["N", "S", "V"])[model.predict(x, verbose=0).argmax(axis=1)]
    assert (predicted == y).mean() > 0.85
    assert told == [("training the model", 1.0)]


def test_equal_seeds_give_equal_weights(folder, monkeypatch):
    monkeypatch.setattr(demo_model, "_EPOCHS", 1)
    weights = []
    for _ in range(2):
        path = demo_model.train(folder, 2)
        weights.append(keras().models.load_model(path).get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
