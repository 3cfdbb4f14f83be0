"""The waivers that a verdict was given under, in words: what each allows, until when, and whether it was needed."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding
from audit_pipeline.report.rules import claim_of
from audit_pipeline.report.wording import NAME_CELLS, SENTENCE_CELLS, brief, count, limit

_KEY_DIGITS = 16


@dataclass(frozen=True)
class WaiverLine:
    """One waiver, ready to be shown."""

    sha256: str
    about: str
    """Rule and group."""
    limit: str
    """The rule's own and the waiver's, where the finding is there to tell the first."""
    reason: str
    until: str
    """The first moment at which it no longer holds, UTC."""
    approvers: tuple[str, ...]
    """The keys that signed it, by the start of their fingerprints."""
    use: str
    remark: str


def waiver_lines(evidence: Evidence) -> tuple[WaiverLine, ...]:
    """Every waiver of the verdict, those that it rests on first."""
    uses = {use.sha256: use for use in evidence.verdict.waived}
    findings = {(finding.rule, finding.group.label): finding for finding in evidence.findings}
    lines = []
    for waiver in evidence.waivers:
        use, found = uses.get(waiver.sha256), findings.get((waiver.rule, waiver.group))
        lines.append(
            WaiverLine(
                sha256=waiver.sha256,
                about=f"{_claim(waiver.rule, found)}, in {brief(waiver.group, NAME_CELLS)}",
                limit=f"{'' if found is None else f'{limit(found.limit)} → '}{limit(waiver.limit)}",
                reason=brief(waiver.reason, SENTENCE_CELLS),
                until=brief(waiver.expires, NAME_CELLS),
                approvers=tuple(f"{key[:_KEY_DIGITS]}…" for key in waiver.approvers),
                use=use.use if use else "unused",
                remark=brief(use.reason, SENTENCE_CELLS) if use else "",
            )
        )
    return tuple(sorted(lines, key=lambda line: line.use != "used"))


def _claim(rule: str, found: Finding | None) -> str:
    return brief(rule, NAME_CELLS) if found is None else f"{claim_of(found)} ({brief(rule, NAME_CELLS)})"


def decided_again(evidence: Evidence) -> str | None:
    """That nothing was measured for this run; None where it was."""
    if evidence.origin is None:
        return None
    first, verdict = brief(evidence.origin.run.id, NAME_CELLS), evidence.origin.verdict.outcome.value
    return f"Nothing was measured anew: the findings are those of run {first}, whose verdict was {verdict}"


def waived_in_words(evidence: Evidence) -> str | None:
    """That the verdict rests on waivers, and until when; None where it rests on none."""
    used = [line for line in waiver_lines(evidence) if line.use == "used"]
    if not used:
        return None
    return (
        f"{count(len(used), 'check')} {'is' if len(used) == 1 else 'are'} waived: what the policy does not allow is "
        f"let pass until {min(line.until for line in used)}"
    )
