"""The way back within integers: operators of a finalist that breaks a rule go from int8 to int16x8, never to float.

Which operators, and in which order, is the quantize step's affair (`lift: N` takes those that cost the worst group
most). Before any is lifted, all are: a model whose every activation has 16 bits and that still breaks the rules is not
broken by what lifting undoes: weights have 8 bits in either scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from audit_pipeline.search.choice import footprint, keeps
from audit_pipeline.search.score import Score
from audit_pipeline.search.space import Proposal
from audit_pipeline.search.trial import Result

_MOST_TRIED = 3
"""Finalists that are tried with operators lifted: those that break the rules least. Each is trained once more."""


@dataclass
class Lifting:
    """Finalists that were tried with operators lifted."""

    carry_out: Callable[[Proposal], Result | None]
    """Tries a proposal as in the last round; None where the time is over."""
    margin: float
    most: int
    """Operators that may be lifted."""
    saved: list[Result] = field(default_factory=list)
    """Of each that lifting saved, the form with the fewest operators lifted."""
    failed: dict[int, str] = field(default_factory=dict)
    """Number of a proposal → why lifting did not save it."""
    passes: int = 0
    out_of_time: bool = False

    def lift(self, finalists: Iterable[Result]) -> None:
        """Try what is smaller than everything that keeps the rules, nearest to keeping them first."""
        measured = [one for one in finalists if one.score is not None]
        limit = min((footprint(one).flash_bytes for one in measured if keeps(one, self.margin)), default=None)
        broken = [one for one in measured if not keeps(one, self.margin) and footprint(one).fits]
        smaller = [one for one in broken if limit is None or footprint(one).flash_bytes < limit]
        for one in sorted(smaller, key=_violation)[: _MOST_TRIED if self.most else 0]:
            reason = self._save(one.proposal, limit)
            if reason:
                self.failed[one.proposal.number] = reason

    def _save(self, proposal: Proposal, limit: int | None) -> str:
        """Lift all, then one operator, two, four, at last all that may be; say why that did not help."""
        wide = self._take(proposal.widened())
        if wide is None or wide.reason:
            return wide.reason if wide else "the time was over before its operators could be lifted"
        if not keeps(wide, self.margin):
            return "it breaks the rules in int16x8 too: rounding of activations is not the cause"
        operators = 1
        while True:
            result = self._take(proposal.lifted(operators))
            if result is None or result.reason:
                return result.reason if result else "the time was over while its operators were lifted"
            if limit is not None and footprint(result).flash_bytes >= limit:
                return f"with {operators} operators lifted it is not smaller than one that keeps the rules"
            if keeps(result, self.margin):
                self.saved.append(result)
                return ""
            if operators == self.most:
                return f"it breaks the rules with {operators} operators lifted too, and no more may be"
            operators = min(2 * operators, self.most)

    def _take(self, proposal: Proposal) -> Result | None:
        result = self.carry_out(proposal)
        self.out_of_time |= result is None
        self.passes += result is not None and result.score is not None
        return result


def _violation(result: Result) -> tuple[float, int]:
    score: Score | None = result.score
    assert score is not None, "only what was measured is sorted"  # noqa: S101
    return score.violation, result.proposal.number
