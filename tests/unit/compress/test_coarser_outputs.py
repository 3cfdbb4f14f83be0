from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.outputs import coarser, unprotected
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import Population
from audit_pipeline.device.footprint import measure
from audit_pipeline.device.interpreters import run, tflite_micro
from audit_pipeline.device.kernels import output_kind, predict_device
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.protection import Outputs
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.predictions import OutputKind, Reading, Task
from audit_pipeline.progress import silent
from audit_pipeline.quantization import Integers
from audit_pipeline.tflite import Tensor, read_graph

X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)


def model(units: int, activation: str | None) -> Any:
    layers = keras_runtime(1).layers
    return keras().Sequential(
        [layers.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(units, activation=activation)]
    )


@pytest.fixture(scope="module")
def classifiers() -> dict[str, bytes]:
    return {
        "int8": convert(model(4, "softmax"), 2 * X, "int8", silent),
        "int16x8": convert(model(4, "softmax"), 2 * X, "int16x8", silent),
    }


@pytest.fixture(scope="module")
def classifier(classifiers: dict[str, bytes]) -> bytes:
    return classifiers["int8"]


def answers(tflite: bytes, rows: int = 200) -> Integers:
    kind = read_graph(tflite).main.tensors[read_graph(tflite).main.inputs[0]].dtype
    high = 128 if kind == "INT8" else 32000
    q = np.random.default_rng(3).integers(-high, high, (rows, 6), np.int8 if kind == "INT8" else np.int16)
    return run(tflite_micro(tflite), q, "", silent)


def output(tflite: bytes) -> Tensor:
    main = read_graph(tflite).main
    return main.tensors[main.outputs[0]]


def requantized(q: NDArray[Any], old: Tensor, new: Tensor) -> NDArray[np.int64]:
    """What tflite-micro's QUANTIZE does: gemmlowp's doubling high multiplication, then a rounding shift.

    reference/requantize.h and common.h of TFLite: the ratio of scales as a 31-bit fraction and a power of two.
    """
    fraction, exponent = np.frexp(float(np.float32(old.scales[0])) / float(np.float32(new.scales[0])))
    multiplier = round(float(fraction) * 2**31)
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    left, right = max(int(exponent), 0), max(-int(exponent), 0)
    product = (q.astype(np.int64) - old.zero_points[0]) * 2**left * multiplier
    high = np.trunc((product + np.where(product >= 0, 2**30, 1 - 2**30)) / 2**31).astype(np.int64)
    rest, half = high & ((1 << right) - 1), (1 << right) >> 1
    away = (rest > half - (high >= 0)) if right else np.zeros_like(high, bool)
    shifted = (high >> right) + away
    low, top = (-128, 127) if new.dtype == "INT8" else (-32768, 32767)
    return np.asarray(np.clip(shifted + new.zero_points[0], low, top), np.int64)


@pytest.mark.parametrize("steps", [1, 7, 10, 16, 128])
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_rounded_outputs_are_the_bytes_of_the_definition(
    classifiers: dict[str, bytes], scheme: str, steps: int
) -> None:
    plain = classifiers[scheme]
    rounded, notes = coarser(plain, Outputs(round=steps))
    before, after = answers(plain), answers(rounded)
    np.testing.assert_array_equal(after, requantized(before, output(plain), output(rounded)))
    assert output(rounded).scales[0] == pytest.approx(1 / steps)
    p = (after.astype(float) - output(rounded).zero_points[0]) * output(rounded).scales[0]
    exact = (before.astype(float) - output(plain).zero_points[0]) * output(plain).scales[0]
    assert len(np.unique(after)) <= steps + 1
    assert np.abs(p - exact).max() <= 0.5 / steps + output(plain).scales[0]
    assert "can still read" in notes[0]


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (1, None), (3, None)])
def test_other_outputs_are_rounded_too(units: int, activation: str | None) -> None:
    plain = convert(model(units, activation), 2 * X, "int8", silent)
    rounded, _ = coarser(plain, Outputs(round=16))
    before, after = answers(plain), answers(rounded)
    np.testing.assert_array_equal(after, requantized(before, output(plain), output(rounded)))
    assert len(np.unique(after)) <= 17
    old, new = output(plain), output(rounded)
    off = (after - new.zero_points[0]) * new.scales[0] - (before.astype(int) - old.zero_points[0]) * old.scales[0]
    assert np.abs(off).max() <= new.scales[0]  # half a step by rounding, half by where zero lies
    assert output_kind(read_graph(rounded)) is output_kind(read_graph(plain))


def test_the_top_class_alone_is_the_one_that_was_highest(classifier: bytes) -> None:
    tied = model(4, "softmax")
    kernel, bias = tied.layers[-1].get_weights()
    tied.layers[-1].set_weights([kernel[:, [0, 1, 0, 3]], bias])  # the first of equal ones, as firmware's loop takes it
    for plain in (classifier, convert(tied, 2 * X, "int8", silent)):
        top, _ = coarser(plain, Outputs(top=1))
        before, after = answers(plain), answers(top)
        np.testing.assert_array_equal(after, np.eye(4, dtype=np.int8)[before.argmax(axis=1)])
    assert (before[:, 0] == before[:, 2]).all()
    assert after[:, 0].any()
    assert output_kind(read_graph(top)) is OutputKind.SOFTMAX
    assert (output(top).scales, output(top).zero_points) == ((1.0,), (0,))


@pytest.mark.parametrize("settings", [Outputs(round=16), Outputs(top=1)])
def test_what_was_added_can_be_taken_away_to_the_byte(classifier: bytes, settings: Outputs) -> None:
    made, _ = coarser(classifier, settings)
    assert made != classifier
    assert unprotected(made) == classifier
    assert unprotected(classifier) == classifier


def test_a_top_class_needs_several_int8_scores(classifiers: dict[str, bytes]) -> None:
    for plain in (convert(model(1, "sigmoid"), X, "int8", silent), classifiers["int16x8"]):
        with pytest.raises(InputError) as caught:
            coarser(plain, Outputs(top=1))
        assert caught.value.code == "compress.no-top-class"


def test_outputs_are_never_made_finer(classifier: bytes) -> None:
    rounded, _ = coarser(classifier, Outputs(round=4))
    with pytest.raises(InputError) as caught:
        coarser(rounded, Outputs(round=4))
    assert caught.value.code == "compress.finer-outputs"


@pytest.mark.parametrize("outputs", [{"round": 16}, {"top": 1}])
def test_a_recipe_ships_coarser_outputs(source: SourceModel, population: Population, outputs: dict[str, int]) -> None:
    step = {"quantize": {"calibration_rows": 60, "outputs": outputs}}
    made = compress(source, Compress.model_validate({"recipe": (step,), "seed": 5}), population)
    footprint = measure(made, "b", "s", 1 << 20, 1 << 20)
    assert footprint.arena_bytes is not None
    assert all(operator.supported for operator in footprint.operators)
    sample = np.arange(20)
    said, _ = predict_device(made, population.evaluation.x, sample, Reading(Task.CLASSIFICATION))
    assert len(np.unique(said.scores)) <= (17 if "round" in outputs else 2)
    assert (said.labels == population.evaluation.y).mean() > 0.9
    assert any("can still read" in note for note in made.part.steps[-1].notes)


@pytest.mark.bench
def test_a_device_that_says_less_gives_less_away() -> None:
    """A model that learnt its rows by heart: who takes the surest rows for training rows is right less often."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(400, 6)).astype(np.float32), rng.integers(0, 4, 400)
    learner = keras_runtime(2).Sequential(
        [keras().layers.Input((6,)), keras().layers.Dense(128, "relu"), keras().layers.Dense(4, "softmax")]
    )
    learner.compile(keras().optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    learner.fit(x[:200], y[:200], epochs=60, batch_size=50, verbose=0)
    plain = convert(learner, x, "int8", silent)
    aucs = [
        _auc(tflite, x) for tflite in (plain, coarser(plain, Outputs(round=2))[0], coarser(plain, Outputs(top=1))[0])
    ]
    assert aucs[0] > aucs[1] > aucs[2]
    assert aucs[2] == 0.5


def _auc(tflite: bytes, x: NDArray[np.float32]) -> float:
    """By how sure the device is, without the label, members first."""
    from sklearn.metrics import roc_auc_score

    from audit_pipeline.quantization import quantize_input

    main = read_graph(tflite).main
    said = run(tflite_micro(tflite), quantize_input(x, main.tensors[main.inputs[0]]), "", silent)
    return float(roc_auc_score(np.arange(400) < 200, said.max(axis=1)))
