"""What canaries prove, and what they must not: the one-run bound of epsilon and attribute inference.

The bound is held against sums written out from the paper's theorem in plain Python. A network that learns 1,000
canaries by heart goes through planting, training, int8 and the audit. Randomised response of known epsilon goes through
the guessing as every model and signal at once, as all four may show the same coins; its bound may pass the truth in 5 %
of runs at most. Attribute inference is given outputs that tell nothing of anybody.
"""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import Measured
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.attribute import attribute
from audit_pipeline.privacy.canaries.record import Canaries
from audit_pipeline.privacy.canaries.scoring import audit_canaries
from audit_pipeline.privacy.one_run import epsilon_lower_bound, guesses_for
from audit_pipeline.privacy_part import Signal
from benchmarks.memoriser import Size, audit_memoriser
from benchmarks.table import Row, conclude

_SEED = 20261123
_INPUTS = 200
_RUNS = 500
_CANARIES = 1000
_LEVEL = 0.95
_SIDES: tuple[tuple[Literal["float", "device"], Signal], ...] = (
    ("float", "output"),
    ("float", "logits"),
    ("device", "output"),
    ("device", "logits"),
)


def rows() -> list[Row]:
    """Every figure, with fixed seeds; about a minute."""
    kept, met = (_device_epsilon(keeps=keeps) for keeps in (True, False))
    return [
        Row("one-run epsilon: farthest from the written-out sums, 200 inputs", _farthest(), "", at_most=1e-5),
        Row("planted memoriser, m = 1000, int8: epsilon's lower bound", kept, "", at_least=5.2),
        Row("the same network after one pass: epsilon's lower bound", met, "", at_most=1.0),
        *_of_randomised_response(1.0, at_least=0.7),
        *_of_randomised_response(3.0, at_least=2.5),
        Row("attribute inference: a gain above 0 where outputs tell nothing", _false_gains(), "of runs", at_most=0.05),
    ]


def _farthest() -> float:
    """Over random counts, deltas and levels, each bound twice."""
    random = np.random.default_rng(_SEED)
    apart = []
    for _ in range(_INPUTS):
        canaries = int(random.integers(2, 1500))
        guesses = int(random.integers(1, canaries + 1))
        correct = int(random.integers(guesses // 2, guesses + 1))
        delta = float(random.choice([0.0, 1e-6, 1e-5, 1e-4]))
        level = float(random.choice([0.9, 0.95, 0.9875, 0.99]))
        ours = epsilon_lower_bound(canaries, guesses, correct, delta=delta, level=level)
        apart.append(abs(ours - _by_bisection(canaries, guesses, correct, delta, 1 - level)))
    return max(apart)


def _by_bisection(canaries: int, guesses: int, correct: int, delta: float, tail: float) -> float:
    low, high = 0.0, 40.0
    if _written_out(canaries, guesses, correct, delta, 0.0) >= tail:
        return 0.0
    for _ in range(50):
        middle = (low + high) / 2
        if _written_out(canaries, guesses, correct, delta, middle) < tail:
            low = middle
        else:
            high = middle
    return low


def _written_out(canaries: int, guesses: int, correct: int, delta: float, epsilon: float) -> float:
    """Theorem 5.2 of Steinke et al. (2023), term by term, by logarithms of factorials."""
    right, wrong = -math.log1p(math.exp(-epsilon)), -epsilon - math.log1p(math.exp(-epsilon))
    whole = math.lgamma(guesses + 1)
    mass = [
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(guesses - k + 1) + k * right + (guesses - k) * wrong)
        for k in range(guesses + 1)
    ]
    steepest = below = 0.0
    for i in range(1, correct + 1):
        below += mass[correct - i]
        steepest = max(steepest, below / i)
    return min(math.fsum(mass[correct:]) + 2 * canaries * delta * steepest, 1.0)


def _device_epsilon(*, keeps: bool) -> float:
    with TemporaryDirectory() as folder:
        size = Size(rows=5000, canaries=_CANARIES, units=512, epochs=40)
        found = audit_memoriser(Path(folder), size, keeps=keeps, seed=0).privacy
    assert found is not None
    return max(part.epsilon for part in found.canaries if part.model == "device")


def _of_randomised_response(epsilon: float, *, at_least: float) -> list[Row]:
    bounds, name = _bounds(epsilon), f"randomised response, epsilon {epsilon:g}"
    return [
        Row(f"{name}: bound above it, 500 runs", float((bounds > epsilon).mean()), "of runs", at_most=0.05),
        Row(f"{name}: mean bound", float(bounds.mean()), "", at_least=at_least),
    ]


def _bounds(epsilon: float) -> NDArray[np.float64]:
    """[runs] the highest of four bounds, each from coins that were turned over with probability 1 / (1 + e^ε)."""
    random = np.random.default_rng([_SEED, int(epsilon)])
    found = []
    for _ in range(_RUNS):
        coins = random.integers(0, 2, _CANARIES).astype(bool)
        said = coins ^ (random.uniform(size=_CANARIES) < 1 / (1 + math.exp(epsilon)))
        phi = {side: said.astype(np.float64) for side in _SIDES}
        parts = audit_canaries(_canaries(coins), phi, level=_LEVEL, delta=0.0)
        found.append(max(part.epsilon for part in parts))
    return np.asarray(found)


def _canaries(coins: NDArray[np.bool_]) -> Canaries:
    nothing = Split(np.zeros((len(coins), 1), np.float32), np.zeros(len(coins), np.int64), {}, None)
    return Canaries("0" * 64, "0" * 64, nothing, coins, guesses_for(len(coins)))


def _false_gains() -> float:
    """Share of runs whose interval of the gain lies above 0, 40 people of 8 rows with outputs of their own."""
    above = 0
    for run in range(_RUNS):
        random = np.random.default_rng([_SEED, run])
        who = np.repeat(np.arange(40), 8)
        y = random.integers(0, 3, len(who))
        z = random.normal(size=(len(who), 3)) + 2 * np.eye(3)[y] + random.normal(0, 1, (40, 3))[who]
        p = np.round(256 * np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)).clip(0, 255) / 256
        split = Split(np.zeros((len(y), 1), np.float32), y, {"sex": (who % 2).astype(str)}, who.astype(str))
        said = Predictions(p.astype(np.float32), 1 / 256, "device")
        gain = attribute("device", said, said, split, split, "sex", seed=run, level=_LEVEL)[0].gain
        above += isinstance(gain, Measured) and gain.interval is not None and gain.interval.low > 0
    return above / _RUNS


if __name__ == "__main__":
    conclude("privacy_canaries", rows())
