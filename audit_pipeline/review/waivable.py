"""Whether a waiver could do what its signers mean: the finding is there, does not hold, and would within the limit."""

from __future__ import annotations

from audit_pipeline.errors import InputError
from audit_pipeline.findings import Finding
from audit_pipeline.gate.judge import Record
from audit_pipeline.measurement import Measured, Outcome
from audit_pipeline.seal.predicate import moment
from audit_pipeline.seal.waiver import LONGEST, Waiver
from audit_pipeline.waived import holds_at, why_never


def require_waivable(waiver: Waiver, record: Record, at: str) -> Finding:
    """Refuse a waiver that the gate would refuse, or that would change nothing.

    Args:
        waiver: for this run's model and policy.
        record: of the run whose finding is waived.
        at: the time now, ISO 8601, UTC, to the second.

    Returns:
        The finding that it is about.

    Raises:
        InputError: `waiver.finding`, there is none of this rule and group, or `waiver.passed`; `waiver.never`, none of
            its kind is ever waived; `waiver.limit`, the limit is not looser than the rule's, or
            `waiver.insufficient`, not enough; `waiver.expired`, `waiver.not-yet` or `waiver.too-long`.
    """
    finding = _finding(waiver, record)
    _require_limit(waiver.limit, finding, record)
    ends, began = moment(waiver.expires), moment(waiver.issued)
    if ends <= moment(at):
        raise InputError(
            "waiver.expired", f"{waiver.expires} has passed", where="--expires", hint=f"give a moment after {at}"
        )
    if began > moment(at):
        raise InputError(
            "waiver.not-yet",
            f"it is dated {waiver.issued}, which is still to come",
            where="--cosign",
            hint="a waiver is not made for later: sign one that begins today",
        )
    if ends - began > LONGEST:
        latest = f"{began + LONGEST:%Y-%m-%dT%H:%M:%SZ}"
        raise InputError(
            "waiver.too-long",
            f"a waiver ends within {LONGEST.days} days",
            where="--expires",
            hint=f"{latest} at the latest; who still needs it then signs another",
        )
    return finding


def _finding(waiver: Waiver, record: Record) -> Finding:
    found = [each for each in record.evidence.findings if _named(each) == (waiver.rule, waiver.group)]
    if len(found) != 1:
        open_ = [each for each in record.evidence.findings if each.outcome is not Outcome.PASS and not why_never(each)]
        known = "; ".join(f"--rule '{rule}' --group '{group}'" for rule, group in map(_named, open_))
        raise InputError(
            "waiver.finding",
            f"the run has {len(found) or 'no'} findings under {waiver.rule!r} for {waiver.group!r}",
            where="--rule",
            hint=f"what can be waived: {known}" if known else "this run has nothing that can be waived",
        )
    (finding,) = found
    if finding.outcome is Outcome.PASS:
        raise InputError(
            "waiver.passed",
            f"{finding.id} holds: {finding.reason}",
            where="--rule",
            hint="nothing needs to be waived here",
        )
    never = why_never(finding)
    if never is not None:
        raise InputError("waiver.never", f"{finding.id} is never waived: {never}", where="--rule")
    return finding


def _require_limit(limit: float, finding: Finding, record: Record) -> None:
    at_most = finding.limit_kind == "at_most"
    if not (limit > finding.limit if at_most else limit < finding.limit):
        raise InputError(
            "waiver.limit",
            f"{limit:g} is no looser than the rule's own limit of {finding.limit:g}",
            where="--limit",
            hint=f"the rule asks for {'at most' if at_most else 'at least'} {finding.limit:g}: a waiver allows "
            + ("more" if at_most else "less"),
        )
    if not holds_at(finding, limit, record.policy.statistics):
        raise InputError(
            "waiver.insufficient",
            f"{finding.id} does not hold at {limit:g} either",
            where="--limit",
            hint=_enough(finding, record),
        )


def _enough(finding: Finding, record: Record) -> str:
    """From which limit on the finding holds, or that it never does."""
    value = finding.value
    if isinstance(value, Measured) and value.interval is not None:
        at_most = finding.limit_kind == "at_most"
        bound = max(value.estimate, value.interval.high) if at_most else min(value.estimate, value.interval.low)
        if holds_at(finding, bound, record.policy.statistics):
            return f"{bound:.6g} is the end of its interval: waive that much, or find out more with more people"
    return "too few rows or people stand behind it for any limit: only more of them help"


def _named(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.group.label
