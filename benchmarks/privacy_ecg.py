"""MIT-BIH: sixteen shadow models of the ECG example, how well they tell its people apart, and what compression changes.

    python -m benchmarks.privacy_ecg

The example as it stands is attacked: its split between patients, its training (`train.py:shadow`, all rows of half of
the 39 people of its train and evaluation split) and the recipe of `int8.yaml`. Of the 90,648 rows 8,000 are asked
about, half of them members, drawn evenly over people and, within each, over classes.

The default score is held against LiRA with a variance of each example (Carlini et al. 2022, algorithm 1) on models that
were not trained for the purpose: each shadow in turn is the target, attacked by the fourteen others that are not its
complement. Of both scores the better of the two signals counts, and each threshold is the lowest at which the share of
non-members taken, over all sixteen, is at most 1 %. With four shadows the twelve others are the targets. Intervals are
of 1,000 bootstrap draws of people.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.recipe import compress
from audit_pipeline.inputs import read_inputs
from audit_pipeline.measurement import Measured, Measurement
from audit_pipeline.policy.privacy import MembershipRule, PrivacySection
from audit_pipeline.privacy.attacks import lira, student_t
from audit_pipeline.privacy.attacks.catalogue import Score
from audit_pipeline.privacy.membership_by_shadows import membership_by_shadows
from audit_pipeline.privacy.roc import threshold
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import MembershipPart
from audit_pipeline.progress import Progress
from audit_pipeline.shadows.material import Material, attack_material
from benchmarks.table import Row, conclude

_ROOT = Path(__file__).parents[1]
_MITDB = _ROOT.parent / "shared" / "data" / "mitdb"
_EXAMPLE = _ROOT / "examples" / "ecg"
_CORES = 2
_FPR = 0.01
_SPECS = ("overall", "sex", "age_band")
_LEVEL = 0.95
_DRAWS = 1000
_SECTION = PrivacySection(
    training="train:shadow",
    shadows=16,
    most_rows=8_000,
    rules=(MembershipRule(attack="membership", attacker="shadows", fpr=_FPR, max_tpr=0.05, groups=_SPECS),),
)
_DEFAULT: Score = student_t.score
_PER_EXAMPLE: Score = partial(lira.online, variance="example")
_LONGEST, _LEAST_RATIO = 15.0, 2.0

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]


def main() -> None:
    """Print what leaks, and hold the figures against their bars."""
    if not _MITDB.is_dir():
        sys.exit(f"{_MITDB} is not there: this benchmark needs the MIT-BIH Arrhythmia Database")
    conclude("privacy_ecg", rows())


def rows() -> list[Row]:
    """From PhysioNet's files; nothing is taken from an earlier run."""
    with tempfile.TemporaryDirectory() as folder, _cores(_CORES):
        _prepare(Path(folder))
        started = time.perf_counter()
        material = _attacked(Path(folder))
        parts = membership_by_shadows(material.tables, _SPECS, _FPR, "rows", _LEVEL)
        minutes = (time.perf_counter() - started) / 60
    people = membership_by_shadows(material.tables, ("overall",), _FPR, "people", _LEVEL)
    _print_leak([*parts, *people])
    return [
        Row("ECG, 16 shadows trained, compressed, scored on 2 cores", minutes, "min", at_most=_LONGEST),
        *_ratios(material.tables),
    ]


def _prepare(folder: Path) -> None:
    """The example with its data, in a folder of its own."""
    for name in ("train.py", "int8.yaml", "model.h5"):
        shutil.copy(_EXAMPLE / name, folder)
    command = [sys.executable, str(_EXAMPLE / "prepare.py"), "--mitdb", str(_MITDB), "--out", str(folder / "work")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _attacked(folder: Path) -> Material:
    inputs = read_inputs(folder / "model.h5", folder / "int8.yaml", None)
    section = inputs.policy.value.compress
    assert section is not None, "int8.yaml has a recipe"
    candidate = compress(inputs.source, section, inputs.population.development)
    material = attack_material(inputs, candidate, _SECTION, jobs=_CORES, allow_code=True, progress=_told())
    assert isinstance(material, Material), "there are people and classes enough"
    return material


@contextmanager
def _cores(number: int) -> Iterator[None]:
    """Run on so many cores, with everything that is started meanwhile."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def _told() -> Progress:
    started = time.perf_counter()

    def progress(step: str, done: float) -> None:
        if step == "shadow models":
            print(f"{step}: {done:.0%} after {time.perf_counter() - started:.0f} s", flush=True)

    return progress


@dataclass(frozen=True)
class _Trial:
    """One score on every model that is taken for the target: [targets, n] scores, and who it was trained on."""

    scores: Scores
    inside: Mask

    def tpr(self, weight: Scores | None = None) -> float:
        """Share of members above the threshold; `weight` [n] says how often each row was drawn."""
        if weight is None:
            limit = threshold(self.scores[~self.inside], _FPR)
            return float((self.scores[self.inside] > limit.score).mean())
        return _weighted_tpr(self.scores.ravel(), self.inside.ravel(), np.tile(weight, len(self.scores)))


def _weighted_tpr(scores: Scores, inside: Mask, weight: Scores) -> float:
    order = np.argsort(-scores, kind="stable")
    taken = np.cumsum(np.where(inside, 0.0, weight)[order])
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # where a run of equal scores ends
    allowed = last[taken[last] <= _FPR * taken[-1]]
    if not len(allowed):
        return 0.0
    members = np.cumsum(np.where(inside, weight, 0.0)[order])
    return float(members[allowed[-1]] / members[-1])


def _by_others(table: ShadowTable, score: Score) -> _Trial:
    """Every shadow by all others but its complement, so that every row is in as many of them as not."""
    made = [
        _by(table, score, [k for k in range(table.count) if k // 2 != target // 2], target)
        for target in range(table.count)
    ]
    return _Trial(np.stack(made), table.inside)


def _by_first(table: ShadowTable, score: Score, few: int) -> _Trial:
    """Every other shadow by the first few."""
    targets = range(few, table.count)
    return _Trial(np.stack([_by(table, score, list(range(few)), t) for t in targets]), table.inside[few:])


def _by(table: ShadowTable, score: Score, attackers: list[int], target: int) -> Scores:
    return score(table.shadows[target], table.shadows[attackers], table.inside[attackers], table.y)


def _ratios(tables: Mapping[tuple[Any, Any], ShadowTable]) -> Iterator[Row]:
    """How much more the default score finds than LiRA with a variance of each example."""
    settings: tuple[tuple[int, Callable[[ShadowTable, Score], _Trial]], ...] = (
        (16, _by_others),
        (4, partial(_by_first, few=4)),
    )
    for shadows, attack in settings:
        for model in ("float", "device"):
            held = [table for (kind, _), table in tables.items() if kind == model]
            ours, theirs = ([attack(table, score) for table in held] for score in (_DEFAULT, _PER_EXAMPLE))
            people = held[0].people
            assert people is not None, "the example names its patients"
            low, high = np.quantile([_ratio(ours, theirs, weight) for weight in _draws(people)], (0.025, 0.975))
            print(
                f"{model}, {shadows} shadows: TPR at {_FPR:.0%} FPR {_best(ours):.4f} against {_best(theirs):.4f}, "
                f"ratio {_ratio(ours, theirs):.2f} ({low:.2f} to {high:.2f})"
            )
            what = f"ECG, {model}, {shadows} shadows: TPR at 1 % over per-example LiRA's"
            yield Row(what, _ratio(ours, theirs), "x", at_least=_LEAST_RATIO)


def _best(trials: Iterable[_Trial], weight: Scores | None = None) -> float:
    return max(trial.tpr(weight) for trial in trials)


def _ratio(ours: Iterable[_Trial], theirs: Iterable[_Trial], weight: Scores | None = None) -> float:
    return _best(ours, weight) / max(_best(theirs, weight), 1e-9)


def _draws(people: NDArray[np.int64]) -> Iterator[Scores]:
    """[n] how often each row comes in a draw of as many people, with replacement."""
    random = np.random.default_rng(0)
    number = int(people.max()) + 1
    for _ in range(_DRAWS):
        yield np.bincount(random.integers(number, size=number), minlength=number)[people].astype(np.float64)


def _print_leak(parts: Iterable[MembershipPart]) -> None:
    """The default score on the example's own model, by group, before and after compression."""
    for part in parts:
        if part.attack == "student_t":
            group = " ".join(part.group.values) or "all"
            auc = "-" if part.auc is None else f"{part.auc:.3f}"
            print(
                f"{part.unit:6} {group:8} {part.model:6} {part.signal:6} FPR {part.fpr_target:4.0%}: "
                f"{_said(part.fpr)}  TPR {_said(part.tpr)}  AUC {auc}"
            )


def _said(rate: Measurement) -> str:
    if not isinstance(rate, Measured):
        return rate.reason
    return f"{rate.estimate:.4f} ({rate.interval.low:.4f} to {rate.interval.high:.4f})" if rate.interval else "-"


if __name__ == "__main__":
    main()
