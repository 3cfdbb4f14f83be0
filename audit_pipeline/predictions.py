"""What a model said about a split: the value that the float model and the device both give."""

from __future__ import annotations

from dataclasses import dataclass

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
