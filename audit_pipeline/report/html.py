"""One self-contained page: no script, no network, the verdict first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import Evidence, Finding
from audit_pipeline.measurement import Outcome
from audit_pipeline.report import palette, rules, summary, wording
from audit_pipeline.report.answers import answers
from audit_pipeline.report.comparison import metric_tables
from audit_pipeline.report.headline import headline
from audit_pipeline.report.verification import about_the_signer, verify_commands

MOST_REASONS = 8
"""Reasons under the verdict; the findings hold all."""


def render_html(evidence: Evidence) -> str:
    """The whole page; the same evidence gives the same text.

    Everything that came from outside is escaped and put on one line. The page carries a content security policy that
    lets it load nothing.
    """
    from audit_pipeline.report.figures import at_a_glance, by_group

    tables = metric_tables(evidence)
    drawn = [table for table in tables if table.claims or table.metric.name == "accuracy"]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            evidence=evidence,
            headline=headline(evidence),
            answers=answers(evidence.policy.document),
            glance=at_a_glance(drawn),
            drawn=[(table, by_group(table, number)) for number, table in enumerate(drawn)],
            others=[table for table in tables if table not in drawn],
            findings=_by_outcome(evidence.findings),
            evidence_sha256=sha256_hex(evidence.canonical()),
            commands=verify_commands(evidence),
            about_the_signer=about_the_signer(evidence),
            most_reasons=MOST_REASONS,
            palette=palette.ALL,
            words=wording,
            value_of=lambda finding: rules.value_in_words(evidence, finding),
            is_membership=lambda finding: rules.is_membership(evidence, finding),
            limit_of=lambda finding: rules.limit_in_words(evidence, finding),
        )
    )


def _by_outcome(findings: Sequence[Finding]) -> list[tuple[Outcome, list[Finding]]]:
    order = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
    return [(outcome, found) for outcome in order if (found := [f for f in findings if f.outcome is outcome])]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": wording.one_line,
        "group": wording.group_name,
        "count": wording.count,
        "percent": wording.percent,
        "limit": wording.limit,
        "size": wording.size,
        "share": wording.share,
        "items": wording.items,
        "behind": wording.behind,
        "metric": summary.metric_name,
        "summary": summary.summarise,
        "claim": rules.claim_of,
        "methods": summary.interval_methods,
        "picture": Markup,
    }
    return environment
