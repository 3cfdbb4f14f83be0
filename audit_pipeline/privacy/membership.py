"""A weak membership attack: whoever knows a row and sees the outputs for it guesses whether it was trained on.

Losses only: no shadow models, no second release. The attacker calls a row a member where the model does better on it
than on all but a share `fpr` of rows that it never saw, or of those of its class. A model that resists this may still
fall to a stronger attack; one that does not has failed the easiest. What "better" is, `sureness` says by task.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import GroupKey
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.attacks.losses import by_class
from audit_pipeline.privacy.rates import FEWEST, Mask, Scores, Side
from audit_pipeline.privacy.roc import area_under_curve, auc_interval, threshold
from audit_pipeline.privacy.signals import are_probabilities, learnable, sureness
from audit_pipeline.privacy_part import Attack, MembershipPart
from audit_pipeline.statistics.tally import Counts, person_codes


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
    """Attack one model in every group of every spec, by one threshold and, where there are classes, by one a class.

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
    members, others = _side(member_predictions, train, bounded), _side(nonmember_predictions, evaluation, bounded)
    learnt, unlearnt = learnable(member_predictions, train), learnable(nonmember_predictions, evaluation)
    attacks: tuple[Attack, ...] = ("losses", "losses_by_class")
    if train.target is not None or len(np.unique(np.r_[train.y[learnt], evaluation.y[unlearnt]])) < 2:
        attacks = ("losses",)
    return tuple(
        MembershipPart(
            model=model,
            group=group,
            attack=attack,
            fpr_target=fpr,
            **_measured(attack, members.only(inside & learnt), others.only(outside & unlearnt), fpr, seed, level),
        )
        for spec in specs
        for group, inside, outside in _groups(train, evaluation, spec)
        for attack in attacks
    )


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


def _groups(train: Split, evaluation: Split, spec: str) -> Iterator[tuple[GroupKey, Mask, Mask]]:
    """Each group with its rows on both sides; none where it has no row on a side."""
    inside, outside = dict(train.members(spec)), dict(evaluation.members(spec))
    for group in sorted({**inside, **outside}, key=lambda key: key.values):
        nobody = np.zeros(len(train), dtype=bool), np.zeros(len(evaluation), dtype=bool)
        yield group, inside.get(group, nobody[0]), outside.get(group, nobody[1])


@dataclass(frozen=True)
class _Known:
    """One side, with the classes of its rows."""

    side: Side
    y: Counts

    def only(self, mask: Mask) -> _Known:
        return _Known(self.side.only(mask), self.y[mask])

    def rescored(self, scores: Scores) -> Side:
        return replace(self.side, scores=scores)


def _side(predictions: Predictions, split: Split, bounded: bool) -> _Known:
    people, named = person_codes(split.subjects, len(split))
    return _Known(Side(sureness(predictions, split, bounded=bounded), people, named), split.y)


def _measured(attack: Attack, member: _Known, other: _Known, fpr: float, seed: int, level: float) -> dict[str, Any]:
    """The fields of a part that one group's scores fill."""
    first = halves(other.side.people, other.side.named, seed)
    reason = _too_few(member.side, other.side, first, fpr)
    if reason is not None:
        auc = area_under_curve(member.side.scores, other.side.scores)
        return {"fpr": other.side.silent(reason), "tpr": member.side.silent(reason), "auc": auc}
    attacked, strangers = member.side, other.side
    if attack == "losses_by_class":
        known = other.only(first)
        attacked, strangers = (
            side.rescored(by_class(side.side.scores, side.y, known.side.scores, known.y)) for side in (member, other)
        )
    limit = threshold(strangers.scores[first], fpr)
    checking = strangers.only(~first)
    ordered = strangers if attack == "losses" else checking
    people = (attacked.people, ordered.people) if attacked.named else None
    return {
        "fpr": checking.above(limit.score, level),
        "tpr": attacked.above(limit.score, level),
        "tpr_with_coin": limit.share_with_coin(attacked.scores),
        "auc": area_under_curve(attacked.scores, ordered.scores),
        "auc_interval": auc_interval(attacked.scores, ordered.scores, people, level),
    }


def _too_few(member: Side, other: Side, first: Mask, fpr: float) -> str | None:
    """Why a group cannot be attacked, if it cannot."""
    if len(member.scores) < FEWEST:
        return f"{len(member.scores)} training rows are too few: {FEWEST} are needed"
    needed = max(math.ceil(1 / fpr - 1e-9), FEWEST // 2)
    if min(int(first.sum()), int((~first).sum())) >= needed:
        return None
    return (
        f"{len(other.scores)} rows that were not trained on cannot show a false-positive rate of {fpr:g}: "
        f"{2 * needed} are needed, half of them to set the threshold"
        + (", and no person may be in both halves" if other.named else "")
    )
