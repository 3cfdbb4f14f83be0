"""What a waiver does to a finding: it is judged again by the code that judged it, against the waiver's limit.

A waived limit is a limit still. A finding is within it only where its whole interval is, as for any PASS; what cannot
be told for want of rows or people cannot be told at another limit either, and no waiver helps where a group was too
small to be compared at all.

Only rules of fairness can be waived. How much worse a group may be served, until when, is for the people who answer for
it to say. Flash, memory and operators are the board's to say. And a waiver ends, but what a model gives away about the
people it learned from is given away for good: nobody but they could have allowed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from audit_pipeline.evaluate.judge import shows_that_it_keeps
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.schema import Statistics
from audit_pipeline.waiver_part import WaiverPart, WaiverUse


def why_never(finding: Finding) -> str | None:
    """Why no waiver can be given for a finding, in words; None where one can."""
    if finding.stage == "device":
        return "a signature makes no room on the board and adds no operator to it"
    if finding.stage == "privacy":
        return "a waiver ends, and what is given away about people does not come back"
    if finding.compares_groups and finding.left_out is None:
        return "an older version of audit does not say which groups were too small to be compared: ship again"
    if finding.left_out:
        names = ", ".join(group.label for group in finding.left_out)
        return f"there are groups too small to be compared ({names}): no limit says anything of them"
    return None


def holds_at(finding: Finding, limit: float, statistics: Statistics) -> bool:
    """Whether a finding holds at a looser limit than its own, by the numbers it has.

    Args:
        finding: as it was found.
        limit: in the unit of its value, on the same side as its own (`limit_kind`).
        statistics: the policy's.
    """
    at_most = finding.limit_kind == "at_most"
    looser = limit > finding.limit if at_most else limit < finding.limit
    kept = shows_that_it_keeps(limit, finding.value, statistics, at_most=at_most)
    return looser and kept and why_never(finding) is None


def use_of(waivers: Sequence[WaiverPart], findings: Sequence[Finding], statistics: Statistics) -> tuple[WaiverUse, ...]:
    """What each waiver does, in their order.

    Of several that are enough for one finding, the one with the tightest limit is used and the others are not.

    Args:
        waivers: that hold; whether they do is for `seal.waiver` to say.
        findings: all of them.
        statistics: the policy's.
    """
    return tuple(_use(waiver, waivers, findings, statistics) for waiver in waivers)


def is_waived(finding: Finding, waivers: Sequence[WaiverPart], uses: Sequence[WaiverUse]) -> bool:
    """Whether a finding is within the limit of a waiver that is used for it.

    Args:
        finding: by its rule and group; whoever writes evidence could give two findings one id.
        waivers: all of them.
        uses: what `use_of` gave for these.
    """
    return any(use.use == "used" and _is_about(waiver, finding) for waiver, use in zip(waivers, uses, strict=True))


def _use(
    waiver: WaiverPart, waivers: Sequence[WaiverPart], findings: Sequence[Finding], statistics: Statistics
) -> WaiverUse:
    of_it = [finding for finding in findings if _is_about(waiver, finding)]
    if len(of_it) != 1:  # two groups whose labels read alike are neither of them the one that was meant
        reason = f"{len(of_it) or 'no'} findings are under {waiver.rule} for {waiver.group}"
        return WaiverUse(sha256=waiver.sha256, use="insufficient", reason=reason)
    (finding,) = of_it
    use, why = _effect(waiver, waivers, finding, statistics)
    told = f"{finding.id} is {finding.outcome} at its limit of {finding.limit:g}"
    return WaiverUse(sha256=waiver.sha256, use=use, finding=finding.id, reason=told + why)


def _effect(
    waiver: WaiverPart, waivers: Sequence[WaiverPart], finding: Finding, statistics: Statistics
) -> tuple[Literal["used", "unused", "insufficient"], str]:
    never = why_never(finding)
    if finding.outcome is Outcome.PASS:
        return "unused", ""
    if never is not None:
        return "insufficient", f", and cannot be waived: {never}"
    if not holds_at(finding, waiver.limit, statistics):
        return "insufficient", f", and {waiver.limit:g} is not enough for it"
    enough = [each for each in waivers if _is_about(each, finding) and holds_at(finding, each.limit, statistics)]
    if min(enough, key=lambda each: abs(each.limit - finding.limit)) != waiver:
        return "unused", ", and a waiver with a tighter limit is enough"
    return "used", f", and holds at {waiver.limit:g}, waived until {waiver.expires}: {waiver.reason}"


def _is_about(waiver: WaiverPart, finding: Finding) -> bool:
    return (waiver.rule, waiver.group) == (finding.rule, finding.group.label)
