"""What a model said about a split: the value that the float model and the device both give, whatever their task."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError


class Task(StrEnum):
    """What a model is for."""

    CLASSIFICATION = "classification"
    """One of several classes."""
    ANOMALY = "anomaly"
    """How odd a row is; odd enough is the second of two classes, and an alarm."""
    REGRESSION = "regression"
    """A number, in the unit of the labels."""


class Score(StrEnum):
    """Where an anomaly score comes from."""

    OUTPUT = "output"
    """The model's one output."""
    RECONSTRUCTION_ERROR = "reconstruction_error"
    """How badly an autoencoder gives its input back: see `reconstruction_error`."""


class OutputKind(StrEnum):
    """What a model's last operation makes of its outputs."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    LOGITS = "logits"


@dataclass(frozen=True)
class Predictions:
    """Scores of one model for every row of one split, in the split's order."""

    scores: NDArray[np.float32]
    """By task: [rows, classes] probabilities; [rows, 1] anomaly score, the higher the odder; [rows, 1] predicted value
    in the label's unit. The device's are dequantized, (q − zero_point) · scale."""
    step: float
    """Size of one quantization step of `scores`; 0.0 where they lie on no grid: a float model, or a reconstruction
    error, which is computed in floats from all outputs."""
    made_by: str
    """Whose arithmetic it was: `float`, `litert-reference` or `tflite-micro`."""
    task: Task = Task.CLASSIFICATION
    threshold: float | None = None
    """Score above which a row is of the second class; None where the highest score decides, and for a regression."""
    score: Score = Score.OUTPUT

    @property
    def labels(self) -> NDArray[np.int64]:
        """[rows] predicted class index.

        With a threshold: 1 where the score of the second class is above it, else 0; compared in float32, as firmware
        does. Without: the first of the highest scores, as firmware's argmax loop takes it.

        Raises:
            ValueError: a regression predicts no class; a caller that asks for one is wrong.
        """
        if self.task is Task.REGRESSION:
            raise ValueError("a regression predicts a number, not a class")
        if self.threshold is None:
            return np.asarray(np.argmax(self.scores, axis=1), dtype=np.int64)
        return np.asarray(self.scores[:, -1] > np.float32(self.threshold), dtype=np.int64)


@dataclass(frozen=True)
class Reading:
    """How a model's outputs are to be read: what the manifest says of them. Given to whoever predicts."""

    task: Task
    threshold: float | None = None
    score: Score = Score.OUTPUT

    @property
    def reconstructs(self) -> bool:
        """Whether the model gives its input back, and the score is how badly."""
        return self.score is Score.RECONSTRUCTION_ERROR

    def scores(self, outputs: NDArray[np.float32], kind: OutputKind, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn a model's outputs into scores.

        Args:
            outputs: [rows, ...] as the model gives them, dequantized where they were integers.
            kind: what they are; matters to a classification alone: a linear unit of another task is its own score.
            x: [rows, *input_shape] what the model was given.

        Returns:
            As `Predictions.scores`.

        Raises:
            InputError: `model.output-shape`: not one value a row, or no reconstruction of the input.
        """
        flat = outputs.reshape(len(outputs), -1)
        if self.reconstructs:
            return reconstruction_error(flat, x)
        if self.task is Task.CLASSIFICATION:
            return class_scores(flat, kind)
        if flat.shape[1] != 1:
            raise _other_shape(f"gives {flat.shape[1]} values a row, and a model for {self.task} must give one")
        return flat

    def predictions(self, scores: NDArray[np.float32], step: float, made_by: str) -> Predictions:
        """Predictions that carry this reading; the step is that of the model's outputs, 0.0 for a float model."""
        grid = 0.0 if self.reconstructs else step
        return Predictions(scores, grid, made_by, self.task, self.threshold, self.score)


def class_scores(outputs: NDArray[np.float32], kind: OutputKind) -> NDArray[np.float32]:
    """Turn a classifier's outputs into one probability per class.

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
        with np.errstate(over="ignore", invalid="ignore"):  # outputs without end give NaN, which the evaluation refuses
            powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
    return outputs


def reconstruction_error(outputs: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean squared difference between what an autoencoder gives and what it was given, row by row.

    The input is the float row before it is quantized, for the device as well: that is what firmware has at hand and
    what MLPerf Tiny's reference firmware compares with (calculate_result in reference_submissions/anomaly_detection/
    submitter_implemented.cpp). So the rounding of the input is part of the device's error. Sums are in float64;
    firmware that adds up in float32 differs in the last digits.

    Args:
        outputs: [rows, ...] dequantized.
        x: [rows, *input_shape], as many values a row.

    Returns:
        [rows, 1] in squared units of the input.

    Raises:
        InputError: `model.output-shape`: the outputs are not as many as the inputs.
    """
    given = x.reshape(len(x), -1)
    made = outputs.reshape(len(outputs), -1)
    if made.shape != given.shape:
        raise _other_shape(f"gives {made.shape[1]} values for a row of {given.shape[1]}, and reconstructs nothing")
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused where scores are counted
        difference = made - given
        sums = np.einsum("ij,ij->i", difference, difference, dtype=np.float64)
        return np.asarray(sums / given.shape[1], dtype=np.float32)[:, None]


def _other_shape(what: str) -> InputError:
    return InputError("model.output-shape", f"the model {what}", hint="is the manifest's task the model's?")
