"""What the loss would change, to first order, if a unit were gone, row by row.

Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning", equation 8, by gates: a unit is multiplied by
a gate of 1 wherever a layer takes it in, and its importance is the square of the loss's gradient by that gate. One
gate stands at all places that read the unit, so a unit of a residual stream is judged as the one thing that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.neurons.channels import Wiring
from audit_pipeline.compress.neurons.flow import Channels
from audit_pipeline.compress.neurons.graph import Apply, Call
from audit_pipeline.compress.neurons.weights import MIXING
from audit_pipeline.compress.objective import by_row
from audit_pipeline.model.feed import feeds
from audit_pipeline.model.runtime import tensorflow
from audit_pipeline.progress import Progress

_BATCH = 64


def taylor_scores(
    model: Any,
    wiring: Wiring,
    lesson: Lesson,
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    progress: Progress,
) -> NDArray[np.float64]:
    """Weighted means over rows of each unit's squared gate gradient.

    Args:
        model: an uncompiled tf_keras model, run as at inference.
        wiring: of this model.
        lesson: the loss, and what it is taken between.
        rows: row numbers of the lesson.
        weights: [groups, len(rows)], each group's summing to 1.
        progress: told the share of rows that are done.

    Returns:
        [groups, units], not negative.
    """
    tf = tensorflow()
    loss = lesson.objective.instance()
    loss.reduction = "none"
    scores = np.zeros((len(weights), wiring.units))

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def gradients(inputs: Any, answers: Any) -> Any:
        gates = tf.ones((tf.shape(answers)[0], wiring.units))
        with tf.GradientTape() as tape:
            tape.watch(gates)
            outputs = wiring.graph.run(inputs, _gated(wiring, gates))
            total = tf.reduce_sum(by_row(loss(answers, outputs[0])))
        return tape.gradient(total, gates)

    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        inputs = [tf.constant(part) for part in feeds(model, lesson.x[batch])]
        found = gradients(inputs, tf.constant(lesson.answers[batch])).numpy().astype(np.float64)
        scores += weights[:, start : start + _BATCH] @ found**2
        progress("measure importance", min(1.0, (start + _BATCH) / len(rows)))
    return scores


def _gated(wiring: Wiring, gates: Any) -> Apply:
    """Multiply what layers with filters take in by its units' gates; channels that must stay have none."""
    tf = tensorflow()
    padded = tf.concat([gates, tf.ones((tf.shape(gates)[0], 1))], axis=1)

    def gate(channels: Channels, value: Any) -> Any:
        if not np.any(channels.ids >= 0):
            return value
        along = [1] * len(channels.shape)
        along[channels.axis] = len(channels.ids)
        factors = tf.gather(padded, np.where(channels.ids < 0, wiring.units, channels.ids), axis=1)
        return value * tf.reshape(factors, [-1, *along])

    def apply(call: Call, values: Sequence[Any]) -> Any:
        if call.kind not in MIXING:
            return call.of(values)
        return call.of([gate(wiring.ends[call.layer.name].inputs[0], values[0])])

    return apply
