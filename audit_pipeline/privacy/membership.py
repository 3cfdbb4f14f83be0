"""A weak membership attack: whoever knows a row and sees the outputs for it guesses whether it was trained on.

Losses only: no shadow models, no second release. The attacker calls a row a member where the model does better on it
than on all but a share `fpr` of rows that it never saw. A model that resists this may still fall to a stronger attack;
one that does not has failed the easiest. What "better" is, `sureness` says by task.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import Measured, Measurement, NotMeasurable
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.signals import are_probabilities, learnable, sureness
from audit_pipeline.privacy_part import MembershipPart
from audit_pipeline.statistics.intervals import exact_interval
from audit_pipeline.statistics.tally import Counts, person_codes, tally

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FEWEST_MEMBERS = 20


def membership(
    model: Literal["float", "device"],
    member_predictions: Predictions,
    nonmember_predictions: Predictions,
    train: Split,
    evaluation: Split,
    specs: Sequence[str],
    fpr: float,
    seed: int,
    level: float,
) -> tuple[MembershipPart, ...]:
    """Attack one model in every group of every spec.

    The threshold is set within the group on one half of its non-members, halved between people where they are named;
    the false-positive rate is measured on the other half.

    Args:
        model: whose predictions these are.
        member_predictions: for the rows of `train`.
        nonmember_predictions: for the rows of `evaluation`.
        train: the members.
        evaluation: the non-members.
        specs: group specs, `overall` among them if it is wanted.
        fpr: share of non-members that may be taken for members, above 0 and below 1.
        seed: of the halving.
        level: two-sided confidence level.
    """
    bounded = are_probabilities(member_predictions) and are_probabilities(nonmember_predictions)
    members = _side(member_predictions, train, bounded)
    others = _side(nonmember_predictions, evaluation, bounded)
    learnt = learnable(member_predictions, train)
    unlearnt = learnable(nonmember_predictions, evaluation)
    parts = []
    for spec in specs:
        inside = {group: mask & learnt for group, mask in train.members(spec)}
        outside = {group: mask & unlearnt for group, mask in evaluation.members(spec)}
        for group in sorted({**inside, **outside}, key=lambda key: key.values):
            member, other = members.only(inside.get(group)), others.only(outside.get(group))
            rates = _rates(member, other, fpr, seed, level)
            parts.append(
                MembershipPart(
                    model=model,
                    group=group,
                    fpr_target=fpr,
                    fpr=rates.fpr,
                    tpr=rates.tpr,
                    tpr_with_coin=rates.tpr_with_coin,
                    auc=area_under_curve(member.scores, other.scores),
                )
            )
    return tuple(parts)


def threshold(nonmembers: Scores, fpr: float) -> float:
    """The lowest seen score that at most a share `fpr` of the non-members exceed; members are those above it.

    Tied scores fall on one side together, so fewer than `fpr` may be let through; nothing is interpolated.
    """
    allowed = math.floor(fpr * len(nonmembers) + 1e-9)
    return float(np.sort(nonmembers)[::-1][allowed])


def share_with_coin(members: Scores, nonmembers: Scores, limit: float, fpr: float) -> float:
    """Share of members recognised when tied rows at the threshold are taken by a coin that fills the allowed rate.

    The randomised test of Neyman and Pearson. Where many scores tie, as on int8 outputs, the threshold alone may let
    through nobody at all; that is no protection if members are far more often among the tied.
    """
    tied = float((nonmembers == limit).mean())
    coin = min(max(fpr - float((nonmembers > limit).mean()), 0.0) / tied, 1.0)
    return float((members > limit).mean() + coin * (members == limit).mean())


def area_under_curve(members: Scores, nonmembers: Scores) -> float | None:
    """Chance that a member scores above a non-member, ties counting half (mid-ranks, Mann & Whitney 1947).

    None where there is nobody on one side.
    """
    if not len(members) or not len(nonmembers):
        return None
    ordered = np.sort(nonmembers)
    below, up_to = np.searchsorted(ordered, members, "left"), np.searchsorted(ordered, members, "right")
    return float((below.sum() + up_to.sum()) / (2 * len(members) * len(nonmembers)))


def halves(people: Counts, named: bool, seed: int) -> Mask:
    """[rows] whether a row is in the first half: whole people where named, each put where fewer rows are so far."""
    random = np.random.default_rng(seed)
    if not named:
        first = np.zeros(len(people), dtype=bool)
        first[random.permutation(len(people))[: len(people) // 2]] = True
        return first
    rows = np.bincount(people)
    chosen = np.zeros(len(rows), dtype=bool)
    balance = 0
    for person in random.permutation(np.flatnonzero(rows)):
        chosen[person] = balance <= 0
        balance += int(rows[person]) if chosen[person] else -int(rows[person])
    return np.asarray(chosen[people])


@dataclass(frozen=True)
class _Side:
    """Scores of members or of non-members, and the person behind each."""

    scores: Scores
    people: Counts
    named: bool

    def only(self, mask: Mask | None) -> _Side:
        """One group of it; nobody where the group has no row on this side."""
        kept = np.zeros(len(self.scores), dtype=bool) if mask is None else mask
        return _Side(self.scores[kept], self.people[kept], self.named)

    def above(self, limit: float, level: float) -> Measured:
        """Share of its rows that score above a limit; there must be some."""
        taken = tally(self.scores > limit, self.people, self.named)
        return Measured(
            estimate=taken.proportion,
            interval=exact_interval(taken, level),
            rows=taken.total,
            subjects=taken.subjects,
        )

    def silent(self, reason: str) -> NotMeasurable:
        """That nothing can be said of it."""
        subjects = len(np.unique(self.people)) if self.named else None
        return NotMeasurable(reason=reason, rows=len(self.scores), subjects=subjects)


def _side(predictions: Predictions, split: Split, bounded: bool) -> _Side:
    people, named = person_codes(split.subjects, len(split))
    return _Side(sureness(predictions, split, bounded=bounded), people, named)


@dataclass(frozen=True)
class _Rates:
    """What the attack reaches in one group."""

    fpr: Measurement
    tpr: Measurement
    tpr_with_coin: float | None = None


def _rates(member: _Side, other: _Side, fpr: float, seed: int, level: float) -> _Rates:
    """The rates of one group, or why there are none."""
    if len(member.scores) < _FEWEST_MEMBERS:
        reason = f"{len(member.scores)} training rows are too few: {_FEWEST_MEMBERS} are needed"
        return _Rates(other.silent(reason), member.silent(reason))
    first = halves(other.people, other.named, seed)
    setting, checking = other.only(first), other.only(~first)
    needed = math.ceil(1 / fpr - 1e-9)
    if min(len(setting.scores), len(checking.scores)) < needed:
        reason = (
            f"{len(other.scores)} rows that were not trained on cannot show a false-positive rate of {fpr:g}: "
            f"{2 * needed} are needed, half of them to set the threshold"
            + (", and no person may be in both halves" if other.named else "")
        )
        return _Rates(other.silent(reason), member.silent(reason))
    limit = threshold(setting.scores, fpr)
    return _Rates(
        fpr=checking.above(limit, level),
        tpr=member.above(limit, level),
        tpr_with_coin=share_with_coin(member.scores, setting.scores, limit, fpr),
    )
