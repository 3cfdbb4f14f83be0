"""Whether groups are exposed alike when a model is trained again and again: an F-test over pseudo-targets.

Kulynych et al. (2022), PoPETs 2022(1):460, section 6, measure every group's vulnerability, TPR − FPR, in each of many
trainings and compare the groups by an analysis of variance with the trainings as blocks. That test asks about the very
rows it saw: with enough trainings it finds any two sets of rows different, also two random halves of one group, since
some rows stick out in every training. A group is more than the rows that were drawn from it. So here people and
trainings are both samples, and the variance of the groups' means has a part from each, as in the quasi-F test of Clark
(1973), J. Verbal Learn. Verbal Behav. 12:335. As in Clark's minimum of it, chance that both parts contain is counted
twice: the test errs towards finding nothing.

Groups of few people vary more than others, which the usual analysis of variance does not allow for. Both parts are
therefore whole covariance matrices, as in Hotelling's T², and degrees of freedom are those of Nel & van der Merwe as
modified by Krishnamoorthy & Yu (2004), Stat. Probab. Lett. 66:161.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEWEST_TRAININGS = 4


@dataclass(frozen=True)
class FTest:
    """An F statistic, its degrees of freedom, and the chance of one as large if all groups were exposed alike."""

    f: float
    between: float
    within: float
    p: float


def vulnerabilities(flagged: Mask, inside: Mask, groups: Sequence[Mask]) -> Numbers:
    """[K, groups] TPR − FPR of each group in every training; NaN where one side of a group is empty.

    Args:
        flagged: [K, n] whether the attack calls the row a member of the k-th training.
        inside: [K, n] whether it is one.
        groups: [n] rows of each.
    """
    cut = np.stack(groups, axis=1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        tpr = ((flagged & inside) @ cut) / (inside @ cut)
        fpr = ((flagged & ~inside) @ cut) / (~inside @ cut)
    return np.asarray(tpr - fpr)


def f_test(flagged: Mask, inside: Mask, groups: Sequence[Mask], people: Counts | None) -> FTest | None:
    """Test that groups are exposed alike, in other trainings and on other people.

    Args:
        flagged: [K, n] whether the attack calls the row a member of the k-th training.
        inside: [K, n] whether it is one; every row is in half of the trainings.
        groups: [n] rows of each, at least two groups.
        people: [n] number of each row's person; None where rows are independent.

    Returns:
        None where it cannot be made: fewer than four trainings, a group of one person or with no row on one side of a
        training, or groups that do not vary at all.
    """
    by_training = vulnerabilities(flagged, inside, groups)
    count, number = by_training.shape
    if count < FEWEST_TRAININGS or number < 2 or not np.isfinite(by_training).all():
        return None
    owner = np.arange(flagged.shape[1]) if people is None else people
    shares, sizes = _shares_of_people(_row_values(flagged, inside), groups, owner)
    if min(sizes) < 2:
        return None
    contrasts = np.hstack([np.eye(number - 1), -np.ones((number - 1, 1))])
    of_trainings = contrasts @ np.cov(by_training, rowvar=False) @ contrasts.T / count
    of_people = contrasts @ (shares.T @ shares) @ contrasts.T
    single = [np.outer(contrasts[:, g], contrasts[:, g]) * (shares[:, g] @ shares[:, g]) for g in range(number)]
    terms = [(of_trainings, count - 1), *((part, size - 1) for part, size in zip(single, sizes, strict=True))]
    return _hotelling(contrasts @ by_training.mean(axis=0), of_trainings + of_people, terms)


def _row_values(flagged: Mask, inside: Mask) -> Numbers:
    """[n] how much more often a row is called a member when it is one than when it is not, over the trainings."""
    times = inside.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (flagged & inside).sum(0) / times - (flagged & ~inside).sum(0) / (len(inside) - times)
    return np.asarray(np.nan_to_num(found))


def _shares_of_people(values: Numbers, groups: Sequence[Mask], owner: Counts) -> tuple[Numbers, list[int]]:
    """[people, groups] each person's part in the error of a group's mean, and the people of each group.

    The linearised variance of a ratio, with m/(m − 1) for m people.
    """
    everybody = int(owner.max(initial=-1)) + 1
    columns, sizes = [], []
    for rows in groups:
        held = np.bincount(owner[rows], minlength=everybody)
        size = int((held > 0).sum())
        total = max(int(held.sum()), 1)
        mean = float(values[rows].sum()) / total
        sums = np.bincount(owner[rows], values[rows], minlength=everybody)
        columns.append((sums - held * mean) / total * np.sqrt(size / max(size - 1, 1)))
        sizes.append(size)
    return np.stack(columns, axis=1), sizes


def _hotelling(means: Numbers, covariance: Numbers, terms: Sequence[tuple[Numbers, int]]) -> FTest | None:
    """F-test of zero means whose covariance is a sum of estimates (Krishnamoorthy & Yu 2004, section 2)."""
    order = len(means)
    if np.linalg.matrix_rank(covariance, hermitian=True) < order:
        return None
    relative = [(np.linalg.solve(covariance, part), freedom) for part, freedom in terms]
    spent = sum((np.trace(part @ part) + np.trace(part) ** 2) / freedom for part, freedom in relative)
    freedom = (order + order**2) / float(spent)
    within = freedom - order + 1
    if within <= 0:
        return None
    f = float(means @ np.linalg.solve(covariance, means)) * within / (freedom * order)
    return FTest(f, order, within, float(fdtrc(order, within, f)))
