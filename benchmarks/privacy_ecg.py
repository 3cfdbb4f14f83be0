"""MIT-BIH: sixteen shadow models of the ECG example, how well they tell its people apart, and what compression changes.

    python -m benchmarks.privacy_ecg

The example as it stands is attacked: its split between patients, its training (`train.py:shadow`, all rows of half of
the 39 people of its train and evaluation split) and the recipe of `int8.yaml`. Of the 90,648 rows 8,000 are asked
about, half of them members, drawn evenly over people and, within each, over classes. The halves are other ones (seed 1)
than those of the example's policies, on which the scores' constants were chosen.

The default score is held against LiRA with a variance of each example (Carlini et al. 2022, algorithm 1) on models that
were not trained for the purpose: each shadow in turn is the target, attacked by the fourteen others that are not its
complement; with four shadows, the first four attack the twelve others. Of both scores the better of the two signals
counts, and one threshold holds for all targets: the lowest at which 1 % of non-members or fewer are taken. Three
comparisons are made: rows by themselves, as the paper has it; both scores with the evidence of a person's rows shared
(`student_t_shared`, an audit's strongest); and that against LiRA by itself. Intervals are of 200 bootstrap draws of
people.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
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
from audit_pipeline.privacy.attacks.shared import share, within_people
from audit_pipeline.privacy.membership_by_shadows import membership_by_shadows
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
_DRAWS = 200
_SECTION = PrivacySection(
    training="train:shadow",
    shadows=16,
    most_rows=8_000,
    seed=1,
    rules=(MembershipRule(attack="membership", attacker="shadows", fpr=_FPR, max_tpr=0.05, groups=_SPECS),),
)
_PER_EXAMPLE: Score = partial(lira.online, variance="example")
_SHOWN = ("student_t", "student_t_shared")
_LONGEST, _LEAST_RATIO = 15.0, 2.0

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int64]


def main() -> None:
    """Print what leaks, and hold the figures against their bars."""
    if not _MITDB.is_dir():
        sys.exit(f"{_MITDB} is not there: this benchmark needs the MIT-BIH Arrhythmia Database")
    conclude("privacy_ecg", rows())


def rows() -> list[Row]:
    """From PhysioNet's files; nothing is taken from an earlier run."""
    with tempfile.TemporaryDirectory() as folder, _cores(_CORES):
        _prepare(Path(folder))
        started, spent = time.perf_counter(), sum(os.times()[:4])
        material = _attacked(Path(folder))
        parts = membership_by_shadows(material.tables, _SPECS, _FPR, "rows", _LEVEL)
        minutes = (time.perf_counter() - started) / 60
    print(f"{minutes:.1f} min, {(sum(os.times()[:4]) - spent) / 60:.1f} min of processor time on {_CORES} cores")
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

    def shared(self, people: Codes) -> _Trial:
        """With what the other rows of each row's person add."""
        return _Trial(share(self.scores, people, within_people(self.scores, self.inside, people)), self.inside)

    @cached_property
    def _ordered(self) -> tuple[Codes, Mask, Codes]:
        """Rows and membership from the highest score down, and where runs of equal scores end."""
        scores = self.scores.ravel()
        order = np.argsort(-scores, kind="stable")
        row = np.tile(np.arange(self.scores.shape[1]), len(self.scores))[order]
        return row, self.inside.ravel()[order], np.flatnonzero(np.diff(scores[order], append=-np.inf))

    def tpr(self, drawn: Scores) -> float:
        """Share of members above the threshold.

        Args:
            drawn: [n] how often each row counts.
        """
        row, inside, ends = self._ordered
        weight = drawn[row]
        taken = np.cumsum(np.where(inside, 0.0, weight))
        allowed = ends[taken[ends] <= _FPR * taken[-1]]
        if not len(allowed):
            return 0.0
        members = np.cumsum(np.where(inside, weight, 0.0))
        return float(members[allowed[-1]] / members[-1])


def _by_others(table: ShadowTable, score: Score) -> _Trial:
    """Every shadow by all others but its complement, so that every row is in as many of them as not."""
    made = [_by(table, score, [k for k in range(table.count) if k // 2 != t // 2], t) for t in range(table.count)]
    return _Trial(np.stack(made), table.inside)


def _by_four(table: ShadowTable, score: Score) -> _Trial:
    """Every other shadow by the first four."""
    made = [_by(table, score, [0, 1, 2, 3], target) for target in range(4, table.count)]
    return _Trial(np.stack(made), table.inside[4:])


def _by(table: ShadowTable, score: Score, attackers: list[int], target: int) -> Scores:
    return score(table.shadows[target], table.shadows[attackers], table.inside[attackers], table.y)


def _ratios(tables: Mapping[tuple[Any, Any], ShadowTable]) -> Iterator[Row]:
    """How much more the default score finds than LiRA with a variance of each example."""
    for model in ("float", "device"):
        held = [table for (kind, _), table in tables.items() if kind == model]
        people = held[0].people
        assert people is not None, "the example names its patients"
        for shadows, attack in ((16, _by_others), (4, _by_four)):
            ours, theirs = ([attack(table, score) for table in held] for score in (student_t.score, _PER_EXAMPLE))
            together, theirs_together = ([trial.shared(people) for trial in trials] for trials in (ours, theirs))
            where = f"ECG, {model}, {shadows} shadows: TPR at {_FPR:.0%}"
            ratio = _ratio(f"{where}, rows by themselves", ours, theirs, people)
            yield Row(f"{where} over per-example LiRA's, rows by themselves", ratio, "x", at_least=_LEAST_RATIO)
            ratio = _ratio(f"{where}, both shared within people", together, theirs_together, people)
            yield Row(f"{where} over per-example LiRA's, both shared", ratio, "x", at_least=_LEAST_RATIO)
            ratio = _ratio(f"{where}, LiRA by itself", together, theirs, people)
            yield Row(f"{where} over per-example LiRA's, ours shared", ratio, "x", at_least=_LEAST_RATIO)


def _ratio(what: str, ours: Iterable[_Trial], theirs: Iterable[_Trial], people: Codes) -> float:
    """Prints the shares and their ratio with its interval."""
    random = np.random.default_rng(0)
    number = int(people.max()) + 1
    counts = [
        np.ones(number),
        *(np.bincount(d, minlength=number) for d in random.integers(number, size=(_DRAWS, number))),
    ]
    mine, other = (
        [max(trial.tpr(drawn[people].astype(np.float64)) for trial in trials) for drawn in counts]
        for trials in (ours, theirs)
    )
    ratios = np.array(mine) / np.maximum(other, 1e-9)
    low, high = np.quantile(ratios[1:], (0.025, 0.975))
    print(f"{what}: {mine[0]:.4f} against {other[0]:.4f}, ratio {ratios[0]:.2f} ({low:.2f} to {high:.2f})", flush=True)
    return float(ratios[0])


def _print_leak(parts: Iterable[MembershipPart]) -> None:
    """The default score on the example's own model, by group, before and after compression."""
    for part in parts:
        if part.attack in _SHOWN:
            group = " ".join(part.group.values) or "all"
            auc = "-" if part.auc is None else f"{part.auc:.3f}"
            print(
                f"{part.unit:6} {group:8} {part.attack:16} {part.model:6} {part.signal:6} FPR {part.fpr_target:4.0%}: "
                f"{_said(part.fpr)}  TPR {_said(part.tpr)}  AUC {auc}"
            )


def _said(rate: Measurement) -> str:
    if not isinstance(rate, Measured):
        return rate.reason
    return f"{rate.estimate:.4f} ({rate.interval.low:.4f} to {rate.interval.high:.4f})" if rate.interval else "-"


if __name__ == "__main__":
    main()
