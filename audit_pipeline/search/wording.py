"""What a search says of itself in words: its rounds, and what became of every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit_pipeline.policy.recipe import Search
from audit_pipeline.search.choice import keeps
from audit_pipeline.search.halving import UNTRIED, Halved, rounds
from audit_pipeline.search.lifting import Lifting
from audit_pipeline.search.space import Proposal
from audit_pipeline.search.trial import Result


def rounds_said(settings: Search, lifting: Lifting) -> tuple[str, ...]:
    """What each round gave and asked."""
    said = [
        "size and operators only, without training (a narrower student is made in one epoch on a few rows): what is "
        "not smaller than plain int8 or does not fit goes"
    ]
    said += [each.said for each in rounds(settings)]
    if lifting.saved or lifting.failed:
        said.append("operators lifted to int16x8 where a finalist breaks a rule; trained as in the round before")
    return tuple(said)


def reasons(
    proposals: Sequence[Proposal],
    halved: Halved,
    lifting: Lifting,
    finalists: Mapping[int, Result],
    chosen: Result,
    settings: Search,
) -> dict[int, str]:
    """What became of every proposal, by number.

    Args:
        proposals: all of them.
        halved: what halving left.
        lifting: which finalists were tried with operators lifted.
        finalists: the results that the choice was made from, by number.
        chosen: one of them.
        settings: of the search.
    """
    found = {one.number: halved.fates.get(one.number, UNTRIED) for one in proposals}
    found |= {number: _not_chosen(result, lifting, settings) for number, result in finalists.items()}
    found[chosen.proposal.number] = _chosen(chosen, lifting, settings)
    return found


def _chosen(result: Result, lifting: Lifting, settings: Search) -> str:
    if not keeps(result, settings.margin):
        return f"no trial keeps the rules on these rows, and this one breaks them least ({_worst(result)})"
    lifted = ", with operators lifted," if result in lifting.saved else ""
    return f"the smallest that{lifted} {_kept(result)} ({_worst(result)})"


def _not_chosen(result: Result, lifting: Lifting, settings: Search) -> str:
    if result.score is None:
        return UNTRIED
    if keeps(result, settings.margin):
        return f"{_kept(result)}, but a smaller one does too"
    failed = lifting.failed.get(result.proposal.number)
    return f"breaks the rules ({_worst(result)})" + (f"; {failed}" if failed else "")


def _kept(result: Result) -> str:
    """A rule that the float model breaks on these rows is not kept by a candidate that breaks it no further."""
    kept = result.score is not None and result.score.keeps_rules
    return "keeps the rules" if kept else "breaks no rule further than the float model does"


def _worst(result: Result) -> str:
    if result.score is None:
        return "not measured"
    inside = "kept" if result.score.keeps_rules else "no worse than in floats"
    held = inside if result.score.violation <= 0 else "broken"
    return f"{result.score.worst_rule} {held} by {abs(result.score.violation):.4g}"
