"""What a model said about a split: the value that the float model and the device both give."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """Class scores of one model for every row of one split, in the split's order."""

    scores: NDArray[np.float32]
    """[rows, classes] probabilities; the device's are dequantized, (q − zero_point) · scale."""
    step: float
    """Size of one quantization step of `scores`; 0.0 for a float model."""
    made_by: str
    """Whose arithmetic it was: `float`, `litert-reference` or `tflite-micro`."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """[rows] predicted class index: the first of the highest scores, as firmware's argmax loop takes it."""
        return np.asarray(np.argmax(self.scores, axis=1), dtype=np.int64)


class OutputKind(StrEnum):
    """What a classifier's last operation makes of its outputs."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    LOGITS = "logits"


def class_scores(outputs: NDArray[np.float32], kind: OutputKind) -> NDArray[np.float32]:
    """Turn a model's outputs into one probability per class.

    A single unit is the second of two classes: [1 - p, p]. Logits go through a sigmoid (one unit) or a softmax. More
    than one sigmoid unit stay as they are, one probability each. What the outputs are is known from the model's last
    operation, never guessed from their values: softmax rows that int8 rounds to 0.99 in sum are still a softmax.

    Args:
        outputs: [rows, units] as the model gives them.
        kind: what they are.

    Returns:
        [rows, classes], classes = max(units, 2).
    """
    if outputs.shape[1] == 1:
        p = 1 / (1 + np.exp(-np.clip(outputs, -80, 80))) if kind is OutputKind.LOGITS else outputs
        return np.concatenate([1 - p, p], axis=1, dtype=np.float32)
    if kind is OutputKind.LOGITS:
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
    return outputs
