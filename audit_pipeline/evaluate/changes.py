"""Did compression change anything, for whom? One test for each metric and group, raw and adjusted for all of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audit_pipeline.evaluate.answers import Answers, GroupTable, Moved
from audit_pipeline.findings import Change
from audit_pipeline.measurement import GroupKey, MetricKey, NotMeasurable
from audit_pipeline.statistics import mcnemar
from audit_pipeline.statistics.estimate import p_above, p_below
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.sign_flip import sign_flips

Changes = dict[tuple[GroupKey, MetricKey], Change]

_DRAWS = 9999
_FEWEST_DRAWS = 999
_WORK = 4_000_000_000
"""Signs times columns that are worth a wait of seconds; with more, fewer signs are drawn."""


def find_changes(table: GroupTable, seed: int) -> Changes:
    """Test every worsening of the table against "nothing changed in any person".

    Over people the signs of what happened to each are flipped in all columns of the table together, so the adjusted
    p-values use how much the columns have in common. A change of which people have no part of their own (AUC,
    precision) cannot be flipped: its interval's own p-value stands for it, adjusted by Holm, and each of the two kinds
    gets half of the error. Where rows are independent McNemar's exact test stands for each column that counts rows,
    the interval's own p-value for the others, and Holm adjusts them.

    Args:
        table: what `tabulate` gave.
        seed: of the drawn signs.
    """
    tested = {
        (group.group, answers.metric): (answers, answers.moved)
        for group in table.groups
        for answers in group.metrics
        if answers.moved is not None and not isinstance(answers.worsening, NotMeasurable)
    }
    if table.people is None:
        return _by_holm(tested, 1)
    flipped = {key: moved for key, (_, moved) in tested.items() if moved.adds_up}
    others = {key: found for key, found in tested.items() if key not in flipped}
    kinds = bool(flipped) + bool(others)
    found = _by_flips(flipped, table.people, kinds, seed) | _by_holm(others, kinds)
    return {key: found[key] for key in tested}


_Key = tuple[GroupKey, MetricKey]


def _by_flips(flipped: Mapping[_Key, Moved], people: int, kinds: int, seed: int) -> Changes:
    if not flipped:
        return {}
    changes = np.zeros((people, len(flipped)))
    for column, moved in enumerate(flipped.values()):
        changes[moved.person, column] = moved.change
    draws = min(max(_WORK // changes.size, _FEWEST_DRAWS), _DRAWS)
    flips = sign_flips(changes, seed=seed, replicates=draws)
    how = "all sign flips" if flips.exact else f"{draws} sign flips"
    method = f"{how} by subject; step-down max-T, Westfall & Young 1993"
    return {
        key: Change(method=method, p=float(p), adjusted_p=min(float(adjusted) * kinds, 1.0))
        for key, p, adjusted in zip(flipped, flips.raw, flips.adjusted, strict=True)
    }


def _by_holm(tested: Mapping[_Key, tuple[Answers, Moved]], kinds: int) -> Changes:
    raw = [_p_alone(answers, moved) for answers, moved in tested.values()]
    return {
        key: Change(method=_method(moved), p=p, adjusted_p=min(float(adjusted) * kinds, 1.0))
        for (key, (_, moved)), p, adjusted in zip(tested.items(), raw, holm(raw), strict=True)
    }


def _p_alone(answers: Answers, moved: Moved) -> float:
    if moved.changed is not None:
        return mcnemar.p_changed(*moved.changed)
    if answers.worsening is None or isinstance(answers.worsening, NotMeasurable):
        return 1.0
    return min(2 * min(p_above(answers.worsening, 0.0), p_below(answers.worsening, 0.0)), 1.0)


def _method(moved: Moved) -> str:
    return f"{'inverted interval' if moved.changed is None else 'McNemar 1947, exact'}; Holm 1979"
