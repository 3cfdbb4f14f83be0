"""What each operator's rounding does to each row's answer, from one forward and one backward run of the float model.

First-order Taylor: an operator that gives t + e instead of t moves a differentiable answer d(t) by ∇d · e. By the same
product, with e = -t, Molchanov et al. 2019 (eq. 8) rank filters. Here e is what rounding t to int8 adds, with the scale
and zero point that the tensor has in the int8 graph, its ends clipped. Each tensor is rounded from its float value, so
an operator is not charged with what those before it did, nor with the rounding of weights, which int16x8 has too.

The answer of a classification is its margin: how far the score of the row's class is above the next, in log odds where
scores are probabilities. A move as large as the margin changes the label, so the effect on a row that the float model
gets right is min(1, (∇d · e / d)²). Of a regression it is the value, and of a model that gives back its input the
squared error; the effect is |∇d · e|.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.float_graph import FloatGraph, single_rows, trace
from audit_pipeline.compress.objective import by_row
from audit_pipeline.data.population import Split
from audit_pipeline.model.feed import feeds
from audit_pipeline.model.runtime import quiet, tensorflow
from audit_pipeline.progress import Progress
from audit_pipeline.quantization import dequantize_output, quantize_input
from audit_pipeline.tflite import Tensor

_PROBES = 4
"""Rows by whose values a tensor of the .tflite is found in the Keras model."""
_TOLERANCE = 1e-3
"""Largest difference of the two, as a share of the tensor's largest value: convolutions are summed in other orders."""
_CHUNK_ELEMENTS = 1 << 22
"""Values of activations that are held at once, beside as many derivatives."""
_LEAST_PROBABILITY = 1e-30
_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Sensitivity:
    """What rounding does to answers."""

    names: tuple[str, ...]
    """Operators that were found in the Keras model, in the order they run."""
    effects: NDArray[np.float64]
    """[operators, rows], not negative."""
    counted: NDArray[np.bool_]
    """[rows] where an effect is harm: rows that the float model gets right, all rows of a regression."""


def sensitivity(
    model: Any, source: FloatGraph, rounded: Mapping[str, Tensor], split: Split, progress: Progress
) -> Sensitivity:
    """Differentiate the answers with respect to every operator's output, and multiply by its rounding error.

    Args:
        model: the tf_keras model behind the graph.
        source: its float graph.
        rounded: operator → its output tensor as int8 has it.
        split: rows, with their labels.
        progress: told the share of rows that are done.
    """
    places = _places(model, source, rounded, split.x[:_PROBES])
    names = tuple(places)
    differentiate = _differentiation(model, tuple(places.values()), split)
    result = source.graph.main.tensors[source.graph.main.outputs[0]].name
    size = sum(tensor.elements for tensor in rounded.values())
    rows = max(1, _CHUNK_ELEMENTS // size)
    effects, counted = [], []
    for start in range(0, len(split), rows):
        found = differentiate(split.take(np.arange(start, min(start + rows, len(split)))))
        effects.append([found.effect(place, rounded[name], name == result) for place, name in enumerate(names)])
        counted.append(found.counted)
        progress("rank operators", min(start + rows, len(split)) / len(split))
    return Sensitivity(names, np.concatenate(effects, axis=1), np.concatenate(counted))


@dataclass(frozen=True)
class _Derivatives:
    """Answers to some rows, and their derivatives."""

    is_margin: bool
    answer: NDArray[np.float64]
    """[rows], in log odds where scores are probabilities."""
    plain: NDArray[np.float64]
    """[rows], in the scores as they are: what the last operator rounds."""
    values: list[NDArray[np.float32]]
    """Of each operator: [rows, elements]."""
    gradients: list[NDArray[np.float32]]
    """Of the answer by each operator's output."""
    plain_gradient: NDArray[np.float32]
    """Of the plain answer by the model's output."""

    @property
    def counted(self) -> NDArray[np.bool_]:
        return self.answer > 0 if self.is_margin else np.ones(len(self.answer), bool)

    def effect(self, place: int, tensor: Tensor, is_result: bool) -> NDArray[np.float64]:
        values = self.values[place]
        error = dequantize_output(quantize_input(values, tensor), tensor) - values
        gradient = self.plain_gradient if is_result else self.gradients[place]
        move = np.abs(np.einsum("re,re->r", gradient.astype(np.float64), error.astype(np.float64)))
        if not self.is_margin:
            return np.asarray(move)
        margin = np.maximum(self.plain if is_result else self.answer, np.finfo(np.float32).tiny)
        return np.asarray(np.square(np.minimum(move / margin, 1.0)))


def _places(model: Any, source: FloatGraph, wanted: Mapping[str, Tensor], x: NDArray[np.float32]) -> dict[str, str]:
    """Operator → the TensorFlow tensor that has its output's values; operators without one are left out.

    Where several have them, the one computed first: the others are copies made from it, for one reader each.
    """

    def compute(*inputs: Any) -> dict[str, Any]:
        _call(model, inputs)
        return {tensor.name: tensor for tensor in _computed()}

    with quiet():
        found = _function(compute, model)(*feeds(model, x))
    candidates = {name: values.numpy().reshape(len(x), -1) for name, values in found.items()}
    traced = list(trace(source.tflite, single_rows(model, x)))
    places = {}
    for name in wanted:
        values = np.stack([row[name].reshape(-1) for row in traced])
        place = next((key for key, candidate in candidates.items() if _is_same(values, candidate)), None)
        if place is not None:
            places[name] = place
    return places


def _is_same(values: NDArray[np.float32], candidate: NDArray[np.float32]) -> bool:
    if values.shape != candidate.shape:
        return False
    return bool(np.abs(values - candidate).max() <= _TOLERANCE * np.abs(values).max())


def _differentiation(model: Any, places: tuple[str, ...], split: Split) -> Callable[[Split], _Derivatives]:
    """What answers to rows, and how they change with the tensors at these places."""
    tf = tensorflow()
    with quiet():
        shown = _call(model, feeds(model, split.x[:_PROBES])).numpy()
    answer, plain, is_margin = _answers(model, split, shown)

    def compute(labels: Any, *inputs: Any) -> tuple[Any, ...]:
        outputs = _call(model, inputs)
        tensors = {tensor.name: tensor for tensor in _computed()}
        chosen = [tensors[place] for place in places]
        given = answer(outputs, labels, inputs), plain(outputs, labels, inputs)
        gradients = tf.gradients(given[0], chosen, unconnected_gradients="zero")
        return (*given, chosen, gradients, tf.gradients(given[1], [outputs])[0])

    run = _function(compute, model, labelled=True)

    def differentiate(part: Split) -> _Derivatives:
        with quiet():
            given, plainly, values, gradients, last = run(part.y, *feeds(model, part.x))
        rows = len(part)
        return _Derivatives(
            is_margin=is_margin,
            answer=given.numpy().astype(np.float64),
            plain=plainly.numpy().astype(np.float64),
            values=[each.numpy().reshape(rows, -1) for each in values],
            gradients=[each.numpy().reshape(rows, -1) for each in gradients],
            plain_gradient=last.numpy().reshape(rows, -1),
        )

    return differentiate


_Answer = Callable[[Any, Any, Any], Any]
"""From outputs [rows, units], labels [rows] and the list of inputs to [rows]."""


def _answers(model: Any, split: Split, shown: NDArray[np.float32]) -> tuple[_Answer, _Answer, bool]:
    """The answer to differentiate, the same in the outputs as they are, and whether it is a margin."""
    if split.target is None and model.output_shape == model.input_shape:
        return _squared_error, _squared_error, False
    if shown.ndim != 2 or split.target is not None:
        return _value, _value, False
    if shown.shape[1] == 1:
        if shown.min() < 0 or shown.max() > 1:
            return _value, _value, False
        return (
            lambda p, y, _: _towards(_log(p) - _log(1 - p), y),
            lambda p, y, _: _towards(2 * p - 1, y),
            True,
        )
    if shown.min() >= 0 and np.all(np.abs(shown.sum(axis=1) - 1) < _SUM_TOLERANCE):
        return lambda p, y, _: _margin(_log(p), y), lambda p, y, _: _margin(p, y), True
    return lambda z, y, _: _margin(z, y), lambda z, y, _: _margin(z, y), True


def _margin(scores: Any, labels: Any) -> Any:
    tf = tensorflow()
    own = tf.one_hot(labels, scores.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    lowest = tf.fill(tf.shape(scores), scores.dtype.min)
    return tf.reduce_max(tf.where(own, scores, lowest), 1) - tf.reduce_max(tf.where(own, lowest, scores), 1)


def _towards(odds: Any, labels: Any) -> Any:
    """Positive where the odds are on the side of the label."""
    return odds[:, 0] * tensorflow().cast(2 * labels - 1, odds.dtype)


def _value(outputs: Any, _: Any, __: Any) -> Any:
    tf = tensorflow()
    return tf.reduce_sum(tf.reshape(outputs, [tf.shape(outputs)[0], -1]), 1)


def _squared_error(outputs: Any, _: Any, inputs: Any) -> Any:
    return by_row(tensorflow().square(outputs - inputs[0]))


def _log(probabilities: Any) -> Any:
    tf = tensorflow()
    return tf.math.log(tf.maximum(probabilities, _LEAST_PROBABILITY))


def _function(compute: Callable[..., Any], model: Any, labelled: bool = False) -> Any:
    tf = tensorflow()
    specs = [tf.TensorSpec([None, *tensor.shape[1:]], tf.float32) for tensor in model.inputs]
    labels = [tf.TensorSpec([None], tf.int64)] if labelled else []
    return tf.function(compute, input_signature=labels + specs)


def _call(model: Any, inputs: Any) -> Any:
    return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)


def _computed() -> list[Any]:
    """Float tensors with a row for each row of the batch, in the graph that is being traced, in order."""
    tf = tensorflow()
    outputs = (tensor for each in tf.compat.v1.get_default_graph().get_operations() for tensor in each.outputs)
    return [each for each in outputs if each.dtype == tf.float32 and each.shape.rank and each.shape[0] is None]
