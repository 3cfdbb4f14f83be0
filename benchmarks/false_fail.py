"""How often a whole policy refuses a release although nothing differs: no drop, no gap, in any of 50 intersections.

Every limit is 0 and every true value lies on it, the hardest place for a false FAIL: 66 groups × 2 metrics against
the float model, and 2 metrics compared between the groups of 3 specs, 138 findings in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.answers import Answers, GroupAnswers, GroupTable
from audit_pipeline.evaluate.judge import judge
from audit_pipeline.evaluate.questions import Question, ask
from audit_pipeline.measurement import GroupKey, MetricKey, NotMeasurable, Outcome
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.statistics.paired_share import PairedShare
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Counts, PairedTally, Tally
from benchmarks.table import Row

_RUNS = 2000
_BLOCKS = 8
"""Parts of the runs, each with its own random numbers, so that the figures do not depend on the number of processes."""
_CHECKED = 2
"""Runs of each block in which the judge itself is asked as well."""
_PROCESSES = 2
_STATISTICS = Statistics(confidence=0.95, min_group_size=1)
_AGES, _SITES = 5, 10
_CELLS = _AGES * _SITES
_COLUMNS = ("age", "site", "age*site")
_RULES = (
    FairnessRule.model_validate({"metric": "recall", "class": "S", "max_drop": 0, "groups": ("overall", *_COLUMNS)}),
    FairnessRule.model_validate({"metric": "false_alarm_rate", "max_rise": 0, "groups": ("overall", *_COLUMNS)}),
    FairnessRule.model_validate({"metric": "recall", "class": "S", "max_gap": 0, "groups": _COLUMNS}),
    FairnessRule.model_validate({"metric": "false_alarm_rate", "max_gap": 0, "groups": _COLUMNS}),
)
_METRICS = (
    MetricKey(name="recall", class_="S", higher_is_better=True),
    MetricKey(name="false_alarm_rate", higher_is_better=False),
)
_CHANGED = 0.04
"""Share of rows that get worse, and of rows that get better."""
_RIGHT = 0.9
"""Share right of the rows that did not change."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class _World:
    """Who is drawn: units are people, or the independent rows of one intersection."""

    what: str
    cell: Counts
    """[units] the intersection each is in."""
    rows: Counts
    """[units] rows of each metric."""
    named: bool
    correlation: float
    """Of hits, of rows that get worse and of rows that get better within a person."""


_WORLDS = (
    _World(
        "independent rows, groups of 25 to 400",
        np.arange(_CELLS),
        np.geomspace(25, 400, _CELLS).round().astype(np.int64),
        named=False,
        correlation=0.0,
    ),
    _World("100 people × 20 rows, ICC 0.3", np.arange(100) % _CELLS, np.full(100, 10), named=True, correlation=0.3),
    _World("1,000 people × 20 rows, ICC 0.3", np.arange(1000) % _CELLS, np.full(1000, 10), named=True, correlation=0.3),
)


def rows() -> list[Row]:
    """All worlds, 2,000 runs each, with fixed seeds."""
    with ProcessPoolExecutor(_PROCESSES) as pool:
        refused = list(pool.map(_refused, *zip(*product(range(len(_WORLDS)), range(_BLOCKS)), strict=True)))
    return [
        Row(
            f"false FAIL of a policy, {world.what}",
            sum(refused[number * _BLOCKS : (number + 1) * _BLOCKS]) / _RUNS,
            "of runs",
            at_most=0.05,
        )
        for number, world in enumerate(_WORLDS)
    ]


def _refused(number: int, block: int) -> int:
    """Refused releases in one block of one world's runs."""
    rng = np.random.default_rng([20240601, number, block])
    return sum(_refuses(_draw(_WORLDS[number], rng), check=run < _CHECKED) for run in range(_RUNS // _BLOCKS))


def _refuses(table: GroupTable, check: bool) -> bool:
    """Whether any finding is a FAIL: Holm's first step, without what a report says besides."""
    questions = ask(_RULES, table, _STATISTICS)
    strict = (1 - _STATISTICS.confidence) / 2 / len(questions)
    refuses = any(_breaks(question, strict) for question in questions)
    if check:
        judged = judge(_RULES, table, _STATISTICS)
        if refuses != any(finding.outcome is Outcome.FAIL for finding in judged):
            raise RuntimeError("the benchmark and the judge differ")
    return refuses


def _breaks(question: Question, level: float) -> bool:
    estimate = question.estimate
    if isinstance(estimate, NotMeasurable):
        raise TypeError("every group of this benchmark has rows")
    if isinstance(estimate, PairedShare):
        return question.p_broken(estimate) <= level
    return estimate.bounds(1 - 2 * level)[0] > question.limit


def _draw(world: _World, rng: np.random.Generator) -> GroupTable:
    counted = [_Counted.drawn(world, rng) for _ in _METRICS]
    return GroupTable(
        {
            spec: tuple(
                GroupAnswers(
                    key,
                    rows=2 * int(world.rows[within].sum()),
                    subjects=int(within.sum()) if world.named else None,
                    metrics=tuple(
                        counts.answers(metric, world, within) for metric, counts in zip(_METRICS, counted, strict=True)
                    ),
                )
                for key, within in _groups(spec, world.cell)
            )
            for spec in ("overall", *_COLUMNS)
        },
        people=len(world.cell) if world.named else None,
    )


def _groups(spec: str, cell: Counts) -> Iterator[tuple[GroupKey, Bools]]:
    if spec == "overall":
        yield GroupKey(), np.ones(len(cell), dtype=np.bool_)
        return
    code = {"age": cell // _SITES, "site": cell % _SITES, "age*site": cell}[spec]
    for value in range(int(code.max()) + 1):
        values = (str(value),) if spec != "age*site" else (str(value // _SITES), str(value % _SITES))
        yield GroupKey(by=tuple(spec.split("*")), values=values), code == value


@dataclass(frozen=True)
class _Counted:
    """[units] what became of the rows of one metric."""

    worse: Counts
    better: Counts
    right: Counts
    """After compression."""

    @classmethod
    def drawn(cls, world: _World, rng: np.random.Generator) -> _Counted:
        """People differ in all three rates; in the population, as many rows get worse as better."""
        worse = rng.binomial(world.rows, _rates(_CHANGED, world, rng))
        better = rng.binomial(world.rows - worse, _rates(_CHANGED / (1 - _CHANGED), world, rng))
        kept = rng.binomial(world.rows - worse - better, _rates(_RIGHT, world, rng))
        return cls(worse, better, kept + better)

    def answers(self, metric: MetricKey, world: _World, within: Bools) -> Answers:
        """The metric after compression, and how much worse it became, in one group."""
        hits = self.right if metric.higher_is_better else world.rows - self.right
        hit, worse, better, total = (
            each[within] if world.named else each[within].sum(keepdims=True)
            for each in (hits, self.worse, self.better, world.rows)
        )
        after = Share(Tally(hit, total, world.named))
        return Answers(metric, None, after, PairedShare(PairedTally(worse, better, total, world.named)))


def _rates(mean: float, world: _World, rng: np.random.Generator) -> NDArray[np.float64]:
    if world.correlation == 0:
        return np.full(len(world.cell), mean)
    weight = 1 / world.correlation - 1
    return rng.beta(mean * weight, (1 - mean) * weight, len(world.cell))
