"""Which trial is shipped: the smallest that keeps the rules."""

from __future__ import annotations

from collections.abc import Iterable

from audit_pipeline.errors import InputError
from audit_pipeline.evidence import Footprint
from audit_pipeline.search.score import Score
from audit_pipeline.search.trial import Result


def choose(results: Iterable[Result], margin: float) -> Result:
    """The smallest flash, then arena, then MACs, of what keeps the rules and fits the board.

    Where nothing does: what breaks the rules least, the smaller of two; what does not fit the board comes last.

    Args:
        results: of trials that were measured on the same rows.
        margin: how far inside its limit a rule must be kept.

    Raises:
        InputError: `search.nothing-runs`: no trial gave a model that runs on the device.
    """
    measured = [one for one in results if one.score is not None]
    if not measured:
        raise InputError(
            "search.nothing-runs",
            "no trial gave a model that runs on the device",
            hint="`audit compress` with a recipe of quantize alone says why",
        )
    good = [one for one in measured if keeps(one, margin) and footprint(one).fits]
    return min(good, key=size) if good else min(measured, key=_trouble)


def keeps(result: Result, margin: float) -> bool:
    """Whether a trial keeps every rule, this far inside its limit, on the rows that are chosen by."""
    return result.score is not None and result.score.violation <= -margin


def size(result: Result) -> tuple[int, int, int, int]:
    """What is to be small, the most important first; the number makes the order total."""
    cost = footprint(result)
    return cost.flash_bytes, cost.arena_bytes or 0, cost.macs, result.proposal.number


def footprint(result: Result) -> Footprint:
    """What a measured trial costs on the board."""
    assert result.made is not None, "what was measured was made"  # noqa: S101
    return result.made.footprint


def _trouble(result: Result) -> tuple[bool, float, tuple[int, int, int, int]]:
    return not footprint(result).fits, _score(result).violation, size(result)


def _score(result: Result) -> Score:
    assert result.score is not None, "only what was measured is compared"  # noqa: S101
    return result.score
