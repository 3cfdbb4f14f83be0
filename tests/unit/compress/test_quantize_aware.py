from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lessons import accuracy, equal_weights, tones_lesson, untrained
from numpy.typing import NDArray

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.quantize_aware import quantize_aware
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, keras_runtime, quiet
from audit_pipeline.policy.steps import FineTune, Training
from audit_pipeline.progress import silent
from audit_pipeline.tflite import read_graph

SHORT = Training(epochs=2, batch_size=64)


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


@pytest.fixture(scope="module")
def branching(taught: Lesson) -> Any:
    """Convolutions with batch normalisation, an addition, a concatenation: trained."""
    layers = keras_runtime(3).layers
    start = layers.Input((20, 1))
    rows = layers.Reshape((20, 1, 1))(start)
    one = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, (5, 1), padding="same", use_bias=False)(rows)))
    two = layers.BatchNormalization()(layers.Conv2D(8, (3, 1), padding="same", use_bias=False)(one))
    joined = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add()([one, two])))
    joined = layers.Concatenate()([joined, layers.Dense(4, activation="relu")(layers.Flatten()(start))])
    model = keras().Model(start, layers.Dense(3, activation="softmax")(layers.Dropout(0.1)(joined)))
    return fine_tune(model, FineTune(epochs=5, batch_size=32, learning_rate=0.01), taught, 1, silent)[0]


@pytest.fixture(scope="module")
def made(branching: Any, taught: Lesson) -> tuple[Any, tuple[str, ...]]:
    return quantize_aware(branching, SHORT, taught, 1, silent)


def on_device(tflite: bytes, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Outputs of an int8 .tflite, dequantized."""
    from ai_edge_litert.interpreter import Interpreter

    with quiet():
        interpreter = Interpreter(model_content=tflite)
        interpreter.allocate_tensors()
    (start,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
    (scale, zero), (step, offset) = start["quantization"], end["quantization"]
    outputs = []
    for row in np.clip(np.round(x / scale + zero), -128, 127).astype(np.int8):
        interpreter.set_tensor(start["index"], row[None])
        interpreter.invoke()
        outputs.append((interpreter.get_tensor(end["index"])[0].astype(float) - offset) * step)
    return np.array(outputs)


def test_a_branching_model_becomes_integers_that_answer_as_the_trained_model(
    made: Any, branching: Any, taught: Lesson
) -> None:
    aware, notes = made
    assert len(notes) == 1
    tflite = convert(aware, taught.x[:60], "int8", silent)
    assert {tensor.dtype for tensor in read_graph(tflite).main.tensors} == {"INT8", "INT32"}
    rows = taught.x[:200]
    assert np.abs(on_device(tflite, rows) - aware(rows, training=False).numpy()).max() < 0.02
    assert accuracy(aware, taught) > accuracy(branching, taught) - 0.02


def test_ranges_are_measured_and_not_left_where_they_start(branching: Any, taught: Lesson) -> None:
    """A step of 1e-9 moves nothing: the ranges that come out are those that were measured first."""
    still = Training(epochs=1, batch_size=600, learning_rate=1e-9)
    aware, _ = quantize_aware(branching, still, taught, 1, silent)
    shape = branching.layers[-1].input_shape[1:]
    before_last = keras().Model(branching.inputs, branching.layers[-3].output)(taught.x).numpy()
    assert before_last.shape[1:] == shape
    top = {v.name: float(v.numpy()) for v in aware.non_trainable_variables if v.name.endswith("output_max:0")}
    joined = next(value for name, value in top.items() if name.startswith("concatenate"))
    assert joined == pytest.approx(before_last.max(), rel=0.2)
    assert np.abs(aware(taught.x, training=False) - branching(taught.x, training=False)).max() < 0.1


def test_the_same_seed_gives_the_same_weights_and_the_model_stays_as_it_was(
    made: Any, branching: Any, taught: Lesson
) -> None:
    before = [weight.copy() for weight in branching.get_weights()]
    told: list[float] = []
    again, _ = quantize_aware(branching, SHORT, taught, 1, lambda _, done: told.append(done))
    assert equal_weights(made[0], again)
    assert all(np.array_equal(a, b) for a, b in zip(before, branching.get_weights(), strict=True))
    assert told == [0.5, 1.0]


def test_layers_without_rounding_are_left_with_a_note_and_still_become_integers(taught: Lesson) -> None:
    model, _ = fine_tune(untrained(8), FineTune(epochs=3, batch_size=32, learning_rate=0.01), taught, 1, silent)
    aware, notes = quantize_aware(model, SHORT, taught, 1, silent)
    assert notes[-1].startswith("trained without rounding")
    assert notes[-1].endswith(": conv1d, batch_normalization")
    tflite = convert(aware, taught.x[:60], "int8", silent)
    assert {tensor.dtype for tensor in read_graph(tflite).main.tensors} <= {"INT8", "INT32"}
    assert np.abs(on_device(tflite, taught.x[:200]) - aware(taught.x[:200], training=False).numpy()).max() < 0.05


def test_weights_that_were_pruned_stay_zero(taught: Lesson) -> None:
    layers = keras().layers
    keras().utils.set_random_seed(2)
    model = keras().Sequential([layers.Input((20, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    weights = model.get_weights()
    weights[0][::2] = 0
    model.set_weights(weights)
    aware, _ = quantize_aware(model, SHORT, taught, 1, silent)
    (kernel,) = (variable.numpy() for variable in aware.trainable_variables if variable.shape == (20, 3))
    assert np.array_equal(kernel == 0, weights[0] == 0)


def test_what_follows_an_activation_without_rounding_is_left_too(taught: Lesson) -> None:
    layers = keras().layers
    model = keras().Sequential(
        [
            layers.Input((20, 1)),
            layers.Flatten(),
            layers.Dense(4, activation="relu", name="first"),
            layers.Dense(4, activation="elu", name="second"),
            layers.Dense(4, activation="relu", name="third"),
            layers.Dense(3, activation="softmax", name="fourth"),
        ]
    )
    _, notes = quantize_aware(model, SHORT, taught, 1, silent)
    assert notes[-1].endswith(": second, third")


def test_a_model_that_takes_no_rounding_says_so(taught: Lesson) -> None:
    layers = keras().layers
    unknown = keras().Sequential([layers.Input((20, 1)), layers.Conv1D(3, 20), layers.Flatten(), layers.Softmax()])
    start, twice = layers.Input((20, 1)), layers.Dense(20, name="twice")
    shared = keras().Model(start, layers.Dense(3)(twice(twice(layers.Flatten()(start)))))
    for model, named in ((unknown, "any layer"), (shared, "twice")):
        with pytest.raises(InputError, match=named) as caught:
            quantize_aware(model, SHORT, taught, 1, silent)
        assert caught.value.code == "compress.nothing-aware"


def test_what_a_normalization_measured_is_carried_over(taught: Lesson) -> None:
    """Keras fixes its constants when weights are set, which TFMOT's copies leave out."""
    far = replace(taught, split=replace(taught.split, x=taught.split.x * 50 + 300))
    layers = keras_runtime(1).layers
    measured = layers.Normalization()
    measured.adapt(far.x)
    model = keras().Sequential(
        [layers.Input((20, 1)), measured, layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    aware, _ = quantize_aware(model, Training(epochs=1, batch_size=600, learning_rate=1e-9), far, 1, silent)
    assert np.abs(aware(far.x, training=False) - model(far.x, training=False)).max() < 0.05
