"""The values before a model's last softmax, and that nothing else is changed by reading them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.outputs import coarser
from audit_pipeline.data.population import Population
from audit_pipeline.device.interpreters import litert_reference, run, tflite_micro
from audit_pipeline.model.runtime import keras_runtime
from audit_pipeline.policy.protection import Outputs
from audit_pipeline.predictions import OutputKind
from audit_pipeline.privacy.signals import margin
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_inputs
from audit_pipeline.shadows.logits import activated, cut, without_activation
from audit_pipeline.tflite import read_graph


def answers(tflite: bytes, x: np.ndarray, interpreter: Any = tflite_micro) -> np.ndarray:
    main = read_graph(tflite).main
    q = quantize_inputs(x, [main.tensors[index] for index in main.inputs])
    return run(interpreter(tflite), q, "", silent)


def through(tflite: bytes, x: np.ndarray, interpreter: Any = tflite_micro) -> np.ndarray:
    """Head and tail one after the other."""
    parts = cut(tflite)
    assert parts is not None
    return run(interpreter(parts.tail), answers(parts.head, x, interpreter), "", silent)


@pytest.mark.parametrize("interpreter", [tflite_micro, litert_reference])
def test_head_and_tail_give_the_bytes_of_the_whole(
    candidate: Candidate, population: Population, interpreter: Any
) -> None:
    x = population.evaluation.x
    np.testing.assert_array_equal(through(candidate.tflite, x, interpreter), answers(candidate.tflite, x, interpreter))


def test_the_head_gives_what_the_softmax_is_given(candidate: Candidate, population: Population) -> None:
    parts = cut(candidate.tflite)
    assert parts is not None and parts.kind is OutputKind.SOFTMAX
    x = population.evaluation.x
    whole, head = read_graph(candidate.tflite).main, read_graph(parts.head).main
    logits = dequantize_output(answers(parts.head, x), head.tensors[head.outputs[0]])
    said = dequantize_output(answers(candidate.tflite, x), whole.tensors[whole.outputs[0]])
    np.testing.assert_allclose(np.exp(log_softmax(logits, axis=1)), said, atol=1 / 256)
    assert len(np.unique(logits, axis=0)) > len(np.unique(said, axis=0))


@pytest.mark.parametrize("settings", [{"round": 4}, {"top": 1}])
def test_logits_are_read_behind_outputs_that_were_made_coarser(
    candidate: Candidate, population: Population, settings: dict[str, Any]
) -> None:
    made, _ = coarser(candidate.tflite, Outputs.model_validate(settings))
    x = population.evaluation.x[:50]
    before, after = cut(candidate.tflite), cut(made)
    assert before is not None and after is not None
    np.testing.assert_array_equal(answers(after.head, x), answers(before.head, x))
    np.testing.assert_array_equal(through(made, x), answers(made, x))


def ending(name: str, *, alone: bool = False, units: int = 3) -> Any:
    """A small model that ends in an activation: in its own layer, or in that of the last units."""
    keras = keras_runtime(seed=2)
    layers = keras.layers
    last = [layers.Dense(units, activation=None if alone else name, bias_initializer="random_normal")]
    own = [layers.Softmax() if name == "softmax" else layers.Activation(name)] if alone else []
    first = [layers.Input((4,)), layers.Dense(5, activation="relu")]
    return keras.Sequential([*first, *last, *own, layers.Reshape((units,))])


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_a_float_models_activation_on_its_logits_gives_its_own_outputs(name: str, alone: bool) -> None:
    model = ending(name, alone=alone)
    x = np.random.default_rng(0).normal(0, 3, (40, 4)).astype(np.float32)
    expected = model.predict_on_batch(x)
    copy = ending(name, alone=alone)
    copy.set_weights(model.get_weights())
    found = without_activation(copy)
    assert found is not None
    logits = found[0].predict_on_batch(x)
    assert np.abs(logits).max() > 1
    np.testing.assert_array_equal(activated(logits, found[1]), expected)


def test_a_model_that_gives_logits_has_no_others() -> None:
    model = ending("linear")
    assert without_activation(model) is None
    assert cut(convert(model, np.random.default_rng(0).normal(0, 1, (8, 4)).astype(np.float32), "int8", silent)) is None


def test_a_margin_is_the_log_odds_of_the_true_class() -> None:
    z = np.random.default_rng(1).normal(0, 3, (50, 4)).astype(np.float32)
    y = np.arange(50) % 4
    logs = log_softmax(z.astype(np.float64), axis=1)[np.arange(50), y]
    np.testing.assert_allclose(margin(z, y, OutputKind.SOFTMAX), logs - np.log1p(-np.exp(logs)), rtol=1e-9)


def test_a_margin_is_exact_where_the_softmax_is_1() -> None:
    z = np.array([[90.0, 0.0, 0.0], [0.0, 90.0, 0.0]], np.float32)
    assert margin(z, np.array([0, 0]), OutputKind.SOFTMAX) == pytest.approx([90 - np.log(2), -90])


def test_sigmoid_units_have_their_own_logit_and_one_unit_is_of_the_second_class() -> None:
    z = np.array([[2.0, -3.0], [2.0, -3.0]], np.float32)
    assert margin(z, np.array([0, 1]), OutputKind.SIGMOID).tolist() == [2.0, -3.0]
    assert margin(z[:, :1], np.array([0, 1]), OutputKind.SIGMOID).tolist() == [-2.0, 2.0]
