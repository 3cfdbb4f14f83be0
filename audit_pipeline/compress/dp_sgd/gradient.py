"""Gradients of which no unit can move the sum by more than a bound: clipped one by one, then added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audit_pipeline.compress.objective import by_row
from audit_pipeline.model.runtime import tensorflow

ClippedSum = Callable[[Any, Any, Any], list[Any]]
"""From inputs (a tensor, or one for each input, [units, rows, ...]), answers [units, rows, ...] and weights
[units, rows] to one tensor for each trainable variable."""

_TINY = 1e-12


def clipped_sum(model: Any, loss: Any, clip: float) -> ClippedSum:
    """Compile the sum over units of their clipped gradients (Abadi et al. 2016, algorithm 1).

    A unit's gradient g is that of the weighted sum of its rows' losses; it is scaled by min(1, clip / ‖g‖₂), the norm
    taken over all variables together. A unit whose weights are all 0 adds nothing. The model runs as it does on the
    device, so no row's gradient depends on another's: a batch normalisation takes its stored statistics, nothing is
    dropped out.

    Args:
        model: a tf_keras model.
        loss: a tf_keras loss.
        clip: the bound.
    """
    tf = tensorflow()
    variables = model.trainable_variables

    def of_unit(unit: tuple[Any, Any, Any]) -> list[Any]:
        x, answers, weights = unit
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(weights * by_row(loss.call(answers, model(x, training=False))))
        gradients = tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        dense = [tf.convert_to_tensor(each) for each in gradients]
        norm = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(each)) for each in dense]))
        factor = tf.minimum(1.0, clip / tf.maximum(norm, _TINY))
        return [factor * each for each in dense]

    def of_all(x: Any, answers: Any, weights: Any) -> list[Any]:
        return [tf.reduce_sum(each, axis=0) for each in tf.vectorized_map(of_unit, (x, answers, weights))]

    compiled: ClippedSum = tf.function(of_all)
    return compiled
