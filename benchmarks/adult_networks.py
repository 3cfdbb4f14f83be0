"""UCI Adult, and many small networks trained on halves of it at once: one batched product for a step of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ADULT = Path(__file__).parents[2] / "shared" / "data" / "adult" / "adult.data"
_COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race", "sex",
    "gain", "loss", "hours", "country", "income",
)  # fmt: skip
_NUMBERS = ["education_num", "gain", "loss", "hours"]
_CATEGORIES = ["workclass", "marital", "occupation", "relationship", "race", "sex", "country"]
_UNITS, _BATCH, _EPOCHS = 32, 200, 200
_RATE, _DECAY, _FIRST, _SECOND, _TINY = 1e-3, 1e-2, 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Adult:
    """The census extract: every row is another person."""

    x: Floats
    """[rows, 90] four standardised numbers, seven categories as indicators; age and survey weight are unused."""
    y: NDArray[np.int64]
    """[rows] 1 where the income is above 50,000 dollars."""
    race: NDArray[np.str_]
    """[rows]"""


def load_adult() -> Adult:
    """Read the file; it must be there."""
    import pandas as pd

    table = pd.read_csv(ADULT, names=_COLUMNS, skipinitialspace=True)
    numbers = table[_NUMBERS].to_numpy(dtype=np.float64)
    numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    indicators = pd.get_dummies(table[_CATEGORIES]).to_numpy(dtype=np.float64)
    return Adult(
        np.hstack([numbers, indicators]).astype(np.float32),
        np.asarray(table.income == ">50K", dtype=np.int64),
        np.asarray(table.race, dtype=np.str_),
    )


def signals(data: Adult, inside: Mask, seed: int) -> NDArray[np.float64]:
    """Train one network on each half and ask all of them about every row.

    A network has 32 rectified units and a logistic output, and learns by Adam (Kingma & Ba 2015) in 200 epochs of
    batches of 200 with a weight decay of 0.01 a batch: the settings of Kulynych et al. (2022), section 7.

    Args:
        data: n rows.
        inside: [networks, n] whom each is trained on; up to one row more or less, all on as many.
        seed: of weights and batches.

    Returns:
        [networks, n] logit of each row's true class.
    """
    weights = _train(data.x, data.y.astype(np.float32), inside, np.random.default_rng(seed))
    logits = np.stack([_logits(data.x, *(part[network] for part in weights)) for network in range(len(inside))])
    return np.where(data.y == 1, logits, -logits).astype(np.float64)


def _logits(x: Floats, first: Floats, first_bias: Floats, second: Floats, second_bias: Floats) -> Floats:
    return np.asarray((np.maximum(x @ first + first_bias, 0) @ second + second_bias)[:, 0])


def _train(x: Floats, y: Floats, inside: Mask, rng: np.random.Generator) -> list[Floats]:
    """Weights of all networks: [networks, 90, 32], [networks, 1, 32], [networks, 32, 1], [networks, 1, 1]."""
    members = [np.flatnonzero(rows) for rows in inside]
    size = min(map(len, members))
    weights = [_glorot((len(inside), *shape), rng) for shape in ((x.shape[1], _UNITS), (_UNITS, 1))]
    weights = [weights[0], np.zeros_like(weights[0][:, :1]), weights[1], np.zeros_like(weights[1][:, :1])]
    adam = _Adam([np.zeros_like(part) for part in weights], [np.zeros_like(part) for part in weights])
    for _ in range(_EPOCHS):
        order = np.stack([rows[rng.permutation(len(rows))[:size]] for rows in members])
        for start in range(0, size, _BATCH):
            rows = order[:, start : start + _BATCH]
            adam.step(weights, _gradients(weights, x[rows], y[rows][..., None]))
    return weights


def _glorot(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    bound = np.sqrt(6 / (shape[1] + shape[2]))
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _gradients(weights: list[Floats], x: Floats, y: Floats) -> list[Floats]:
    """Of the mean cross-entropy of a batch, and of the weight decay."""
    first, first_bias, second, second_bias = weights
    hidden = np.maximum(x @ first + first_bias, 0)
    error = (1 / (1 + np.exp(-(hidden @ second + second_bias))) - y) / np.float32(y.shape[1])
    behind = (error @ second.transpose(0, 2, 1)) * (hidden > 0)
    decay = np.float32(_DECAY / y.shape[1])
    return [
        x.transpose(0, 2, 1) @ behind + decay * first,
        behind.sum(axis=1, keepdims=True),
        hidden.transpose(0, 2, 1) @ error + decay * second,
        error.sum(axis=1, keepdims=True),
    ]


@dataclass
class _Adam:
    means: list[Floats]
    squares: list[Floats]
    steps: int = 0

    def step(self, weights: list[Floats], gradients: list[Floats]) -> None:
        """Move the weights in place."""
        self.steps += 1
        rate = np.float32(_RATE * np.sqrt(1 - _SECOND**self.steps) / (1 - _FIRST**self.steps))
        for place, gradient in enumerate(gradients):
            self.means[place] += np.float32(1 - _FIRST) * (gradient - self.means[place])
            self.squares[place] += np.float32(1 - _SECOND) * (gradient * gradient - self.squares[place])
            weights[place] -= rate * self.means[place] / (np.sqrt(self.squares[place]) + np.float32(_TINY))
