"""A search as evidence holds it: every trial, why it went no further, and the one that was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audit_pipeline.evidence import SearchPart, TrialPart
from audit_pipeline.policy.recipe import Recipe
from audit_pipeline.search.front import fronts
from audit_pipeline.search.selection import Selection
from audit_pipeline.search.space import Proposal
from audit_pipeline.search.trial import Result


def record(
    proposals: Sequence[Proposal],
    results: Mapping[int, Result],
    reasons: Mapping[int, str],
    chosen: Result,
    rounds: Sequence[str],
    selection: Selection,
    *,
    passes: int,
    complete: bool,
) -> SearchPart:
    """Write a search down.

    Args:
        proposals: all of them.
        results: the last result of each that was tried, by number.
        reasons: why each came to nothing, went on or was chosen, by number.
        chosen: the result that is shipped.
        rounds: what each round gave and asked, in words.
        selection: the rows it chose by.
        passes: how often a candidate was run over those rows.
        complete: whether it ended by itself.
    """
    front = _front(list(results.values()))
    trials = tuple(
        _trial(
            one,
            results.get(one.number),
            reasons[one.number],
            on_front=one.number in front,
            chosen=one.number == chosen.proposal.number,
        )
        for one in proposals
    )
    return SearchPart(
        trials=trials,
        rounds=tuple(rounds),
        chosen_by=selection.said,
        selection_rows=len(selection.rows),
        selection_subjects=selection.subjects,
        evaluation_passes=passes,
        complete=complete,
        keeps_rules=chosen.score is not None and chosen.score.keeps_rules,
    )


def _trial(one: Proposal, result: Result | None, reason: str, *, on_front: bool, chosen: bool) -> TrialPart:
    if result is None:
        recipe = _dumped(one.outline())
        return TrialPart(number=one.number, label=one.label, recipe=recipe, round=0, epochs=0, reason=reason)
    made, score = result.made, result.score
    return TrialPart(
        number=one.number,
        label=result.proposal.label,
        recipe=_dumped(result.recipe),
        round=result.round,
        epochs=result.epochs,
        size_bytes=made.footprint.flash_bytes if made else None,
        arena_bytes=made.footprint.arena_bytes if made else None,
        macs=made.footprint.macs if made else None,
        lifted=_lifted(result),
        worst_drop=score.worst_drop if score else None,
        worst_group=score.worst_group if score else None,
        violation=score.violation if score else None,
        on_front=on_front,
        chosen=chosen,
        reason=reason,
    )


def _front(results: Sequence[Result]) -> set[int]:
    """Numbers of the trials that no other beats in flash and in what the worst group loses."""
    compared = [
        (one.proposal.number, one.made.footprint.flash_bytes, one.score.worst_drop)
        for one in results
        if one.made is not None and one.score is not None and one.score.worst_drop is not None
    ]
    if not compared:
        return set()
    costs = np.array([[flash, drop] for _, flash, drop in compared], dtype=np.float64)
    return {compared[place][0] for place in fronts(costs)[0]}


def _dumped(recipe: Recipe) -> tuple[dict[str, Any], ...]:
    return tuple(step.model_dump(mode="json") for step in recipe)


def _lifted(result: Result) -> tuple[str, ...]:
    """Names of the operators that the quantize step lifted."""
    if result.made is None or not result.proposal.lift:
        return ()
    return tuple(result.made.candidate.steps[-1].settings["lift"])
