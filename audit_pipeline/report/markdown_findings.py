"""What came of every rule, as Markdown."""

from __future__ import annotations

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Outcome
from audit_pipeline.report.comparison import SEVERITY
from audit_pipeline.report.markdown_text import group_text, p_texts, table, text, with_range
from audit_pipeline.report.rules import claim_of, is_weak_attack, limit_in_words, value_in_words
from audit_pipeline.report.verdicts import how_decided, remark
from audit_pipeline.report.wording import behind


def findings_section(evidence: Evidence) -> str:
    """How verdicts are reached, and the findings, failures first."""
    is_tested = any(finding.breach for finding in evidence.findings)
    tests = ["Limit kept? p", "adjusted"] if is_tested else []
    head = ["Outcome", "Rule", "Group", "Value", "Limit", *tests, "Remarks"]
    rows = [
        _row(evidence, finding, is_tested=is_tested)
        for finding in sorted(evidence.findings, key=lambda finding: SEVERITY[finding.outcome])
    ]
    meanings = "\n".join(f"- **{outcome.value}**: {text(meaning)}" for outcome, meaning in how_decided(evidence))
    return f"## Findings\n\n{meanings}\n\n{table(head, rows, range(5, 5 + len(tests)))}"


def _row(evidence: Evidence, finding: Finding, *, is_tested: bool) -> tuple[str, ...]:
    strength = ", weak attacker: losses only" if is_weak_attack(evidence, finding) else ""
    value = with_range(*value_in_words(evidence, finding))
    return (
        finding.outcome.value if finding.outcome is Outcome.PASS else f"**{finding.outcome.value}**",
        f"{text(claim_of(finding))} ({text(finding.rule)}{strength})",
        group_text(finding.group),
        text(f"{value} on {behind(finding.value)}" if finding.value.rows else value),
        limit_in_words(evidence, finding),
        *(p_texts(finding.breach) if is_tested else ()),
        text(remark(evidence, finding)) if remark(evidence, finding) else "",
    )
