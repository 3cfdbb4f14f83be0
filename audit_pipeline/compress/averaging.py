"""The mean of the weights that a model goes through, which answers more steadily than the last of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.model.runtime import keras


class MeanOfEpochs:
    """The mean of the weights after each epoch from some epoch on (Izmailov et al. 2018, "Averaging Weights")."""

    def __init__(self, first: int) -> None:
        """Start.

        Args:
            first: epoch, counted from 0.
        """
        self._first = first
        self._kept: list[list[NDArray[np.float32]]] = []

    def callback(self, model: Any) -> Any:
        """What tf_keras is to call while it trains the model."""
        return keras().callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: self._keep(model, epoch))

    @property
    def epochs(self) -> int:
        """How many epochs the mean is over."""
        return len(self._kept)

    @property
    def weights(self) -> list[NDArray[np.float32]]:
        """In the model's order."""
        return [np.mean(each, axis=0) for each in zip(*self._kept, strict=True)]

    def _keep(self, model: Any, epoch: int) -> None:
        if epoch >= self._first:
            self._kept.append(model.get_weights())
