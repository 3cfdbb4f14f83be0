from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_pipeline.compress.fallback import rank_operators
from audit_pipeline.compress.float_graph import FloatGraph, float_graph
from audit_pipeline.compress.mixed import mixed
from audit_pipeline.compress.sensitivity import sensitivity
from audit_pipeline.data.population import Population, Split
from audit_pipeline.device.interpreters import run, tflite_micro
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_inputs
from audit_pipeline.tflite import read_graph


@pytest.fixture(scope="module")
def split(population: Population) -> Split:
    return population.calibration


@pytest.fixture(scope="module")
def hard(trained: Any, split: Split) -> tuple[Any, FloatGraph]:
    """The trained classifier, a unit of its dense layer filling the range: the same in floats, not in int8."""
    model = keras().models.clone_model(trained)
    model.set_weights(trained.get_weights())
    dense, last = model.layers[-2:]
    outputs = keras().Model(model.inputs, dense.output).predict(split.x, verbose=0)
    weights, bias = dense.get_weights()
    after, end = last.get_weights()
    alive = np.flatnonzero(outputs.max(axis=0) > 0)
    unit = alive[np.argmin((outputs.mean(axis=0) * np.abs(after).sum(axis=1))[alive])]
    factor = 100 * outputs.max() / outputs[:, unit].max()
    weights[:, unit] *= factor
    bias[unit] *= factor
    after[unit] /= factor
    dense.set_weights([weights, bias])
    last.set_weights([after, end])
    return model, float_graph(model, split.x)


def device(tflite: bytes, x: NDArray[np.float32]) -> NDArray[np.float32]:
    main = read_graph(tflite).main
    q = quantize_inputs(x, [main.tensors[index] for index in main.inputs])
    return dequantize_output(run(tflite_micro(tflite), q, "", silent), main.tensors[main.outputs[0]])


def test_the_operator_that_int8_cannot_hold_comes_first(hard: tuple[Any, FloatGraph], split: Split) -> None:
    ranked = rank_operators(*hard, split, "group")
    assert {each.name for each in ranked} == {"conv1d", "dense", "dense_1", "output"}
    assert ranked[0].name == "dense"
    assert ranked[0].score > 3 * ranked[1].score
    assert [each.score for each in ranked] == sorted((each.score for each in ranked), reverse=True)


def test_lifting_the_first_helps_more_than_lifting_any_other(hard: tuple[Any, FloatGraph], split: Split) -> None:
    """The output is lifted each time: int8's 256 steps of a probability would hide the rest."""
    model, source = hard
    expected = model.predict(split.x, verbose=0)

    def error(*lifted: str) -> float:
        return float(np.abs(device(mixed(source, [*lifted, "output"]), split.x) - expected).mean())

    assert error("dense") < 0.5 * min(error(), error("conv1d"), error("dense_1"))


def test_the_group_is_the_one_that_rounding_costs_most(hard: tuple[Any, FloatGraph], split: Split) -> None:
    model, source = hard
    main = read_graph(mixed(source, ())).main
    rounded = {main.tensors[each.outputs[0]].name: main.tensors[each.outputs[0]] for each in main.operators}
    found = sensitivity(model, source, {name: rounded[name] for name in ("dense", "dense_1")}, split, silent)
    harm = (found.effects.sum(axis=0) * found.counted).astype(float)
    sore = np.argsort(-harm)[:20]
    groups = {"half": np.where(np.isin(np.arange(len(split)), sore), "sore", "well")}
    cut = Split(split.x, split.y, groups, split.subjects)
    assert rank_operators(model, source, cut, "half")[0].group.values == ("sore",)
    assert rank_operators(model, source, cut, "overall")[0].group.label == "overall"


def test_to_first_order_an_effect_is_the_move_that_the_int8_value_causes(trained: Any, split: Split) -> None:
    """Oracle: the float layers after the tensor, run on its rounded value."""
    keras_ = keras()
    few = split.take(np.arange(12))
    source = float_graph(trained, split.x)
    main = read_graph(mixed(source, ())).main
    tensor = next(each for each in main.tensors if each.name == "dense")
    found = sensitivity(trained, source, {"dense": tensor}, few, silent)
    hidden = keras_.Model(trained.inputs, trained.layers[-2].output).predict(few.x, verbose=0)
    scale, zero = np.float32(tensor.scales[0]), tensor.zero_points[0]
    rounded = (np.clip(np.round(hidden / scale) + zero, -128, 127) - zero) * scale
    weights, bias = trained.layers[-1].get_weights()
    margins = []
    for values in (hidden, rounded):
        logits = values @ weights + bias
        own = logits[np.arange(12), few.y]
        logits[np.arange(12), few.y] = -np.inf
        margins.append(own - logits.max(axis=1))
    right = margins[0] > 0
    np.testing.assert_array_equal(found.counted, right)
    expected = np.minimum(np.abs(margins[1] - margins[0]) / np.abs(margins[0]), 1) ** 2
    np.testing.assert_allclose(found.effects[0][right], expected[right], rtol=0.05, atol=1e-7)


@pytest.mark.parametrize("task", ["regression", "autoencoder", "two classes"])
def test_every_task_has_an_answer_to_differentiate(task: str) -> None:
    layers = keras_runtime(seed=4).layers
    units, activation = {"regression": (1, None), "autoencoder": (6, None), "two classes": (1, "sigmoid")}[task]
    inner = [layers.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(units, activation=activation)]
    model = keras().Sequential(inner)
    random = np.random.default_rng(5)
    x = random.normal(size=(30, 6)).astype(np.float32)
    y = random.integers(0, 2, 30) if task == "two classes" else np.zeros(30, np.int64)
    target = random.normal(size=30) if task == "regression" else None
    split = Split(x, y, {}, None, target)
    ranked = rank_operators(model, float_graph(model, x), split, "overall")
    assert {"dense", "output"} <= {each.name for each in ranked} | {"output"}
    assert all(np.isfinite(each.score) and each.score >= 0 for each in ranked)
    assert any(each.score > 0 for each in ranked)
