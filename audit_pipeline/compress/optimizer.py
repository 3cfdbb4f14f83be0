"""How weights move from one step of training to the next."""

from __future__ import annotations

from typing import Any

from audit_pipeline.model.runtime import keras
from audit_pipeline.policy.steps import Training


def optimizer(model: Any, settings: Training, steps: int) -> Any:
    """Adam; or AdamW, by which kernels decay apart from the gradient (Loshchilov & Hutter 2019, algorithm 2).

    Biases, and the scales and shifts of normalisations, do not decay.

    Args:
        model: a tf_keras model, for its variables.
        settings: how to train.
        steps: of the whole training, for a learning rate that falls.

    Returns:
        A tf_keras optimizer.
    """
    if not settings.weight_decay:
        return keras().optimizers.Adam(_rate(settings, steps))
    made = keras().optimizers.AdamW(_rate(settings, steps), weight_decay=settings.weight_decay)
    made.exclude_from_weight_decay(var_list=[each for each in model.trainable_variables if len(each.shape) < 2])
    return made


def _rate(settings: Training, steps: int) -> Any:
    if settings.decay == "none":
        return settings.learning_rate
    return keras().optimizers.schedules.CosineDecay(settings.learning_rate, steps)
