"""The demo's population: generated, nobody in it lives.

Sixty people, 14 of them women, in two age bands (20-54 and 55-89) of 30 each. No person is in two splits:

| | women | men | beats a person |
|---|---|---|---|
| train | 4 | 20 | 250 |
| calibration | 2 | 4 | 250 |
| evaluation | 8 | 22 | 500 |

About 85 % of the beats are normal (N), 9 % premature supraventricular (S), 6 % premature ventricular (V), as often in
women as in men. Women are a minority, their QRS is lower and narrower, and more of their ventricular beats point
upwards, as normal beats do: `person.py` says by how much and on whose authority. Evaluation is the largest split
because a verdict on a group needs enough of its people.

No code treats a group differently after this. But the make-up, the network and the two recipes were chosen by trial so
that heavy pruning is seen to cost somebody. How much it costs whom is not fixed: it changes with the seed and, at one
seed, with the kind of processor, as training rounds differently. Eight seeds besides the shipped one were run as it is:
2 and 3, used while it was designed; 51 to 53, on which four other recipes were compared before this one was kept; 54 to
56, untouched. Recall of V fell by 0.13 to 0.42 in women and by 0.06 to 0.26 in men, further in women on all but seed 2;
`too-hard.yaml` ended in FAIL on all eight, `holds.yaml` in PASS on seven and INCONCLUSIVE on one (53).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.demo.person import FEMALE, MALE, draw_person
from audit_pipeline.demo.recording import CLASSES, record

MANIFEST = "dataset.yaml"

AGE_BANDS = ((20, 55), (55, 90))
"""Half-open, in years."""

PEOPLE = {
    "train": {FEMALE: 2, MALE: 10},
    "calibration": {FEMALE: 1, MALE: 2},
    "evaluation": {FEMALE: 4, MALE: 11},
}
"""People of each sex in each age band."""

BEATS = {"train": 250, "calibration": 250, "evaluation": 500}
"""Beats of each person."""

Columns = dict[str, NDArray[Any]]


def write_population(folder: Path, seed: int) -> Path:
    """Write the three splits and their manifest.

    Args:
        folder: exists; earlier files of the same names are overwritten.
        seed: equal seeds give equal bytes under one NumPy.

    Returns:
        The manifest's path.
    """
    rng = np.random.default_rng(seed)
    numbers = count(1)
    for split in PEOPLE:
        people = list(_recordings(split, numbers, rng))
        columns = {name: np.concatenate([person[name] for person in people]) for name in people[0]}
        np.savez_compressed(folder / f"{split}.npz", allow_pickle=False, **columns)
    manifest = folder / MANIFEST
    manifest.write_bytes((resources.files(__package__) / MANIFEST).read_bytes())
    return manifest


def _recordings(split: str, numbers: Iterator[int], rng: np.random.Generator) -> Iterator[Columns]:
    """Every person of a split as columns of equal length."""
    for sex, people in PEOPLE[split].items():
        for youngest, eldest in AGE_BANDS:
            for _ in range(people):
                age = int(rng.integers(youngest, eldest))
                recording = record(draw_person(sex, age, rng), BEATS[split], rng)
                beats = len(recording.label)
                yield {
                    "x": recording.x,
                    "y": np.array(CLASSES)[recording.label],
                    "subject": np.full(beats, f"synthetic-{next(numbers):02d}"),
                    "sex": np.full(beats, sex),
                    "age": np.full(beats, age),
                }
