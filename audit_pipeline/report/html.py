"""One self-contained page: no script, no network, the verdict first."""

from __future__ import annotations

from functools import cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import Evidence
from audit_pipeline.report import (
    exemplars,
    palette,
    population,
    recipe,
    rules,
    sealing,
    search,
    summary,
    verdicts,
    waivers,
    wording,
)
from audit_pipeline.report.answers import answers, who_answers
from audit_pipeline.report.comparison import metric_tables
from audit_pipeline.report.front import draw_front
from audit_pipeline.report.headline import headline
from audit_pipeline.report.policy_changes import changes_of_policy
from audit_pipeline.report.privacy import privacy_sections
from audit_pipeline.report.quantity import SHARES
from audit_pipeline.report.verification import about_the_signer, verify_commands
from audit_pipeline.statistics.wording import p_value

MOST_REASONS = 6
"""Reasons under the verdict; the findings hold all."""
MOST_CHANGES = 3
"""Times that the policy was loosened which are told above the findings; its own section holds all."""


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
            who_answers=who_answers(evidence.policy.document),
            policy_changes=changes_of_policy(evidence.policy),
            waivers=waivers.waiver_lines(evidence),
            waived_in_words=waivers.waived_in_words(evidence),
            decided_again=waivers.decided_again(evidence),
            glance=at_a_glance(drawn),
            drawn=[(table, by_group(table, number)) for number, table in enumerate(drawn)],
            others=[table for table in tables if table not in drawn],
            exemplars=exemplars,
            how_decided=verdicts.how_decided(evidence),
            findings=verdicts.by_outcome(evidence),
            recipe=recipe,
            search=search,
            sealing=sealing,
            front=None if evidence.candidate.search is None else draw_front(evidence.candidate.search, evidence.data),
            privacy=privacy_sections(evidence),
            facts=population.facts(evidence),
            counted=population.counted,
            evidence_sha256=sha256_hex(evidence.canonical()),
            commands=verify_commands(evidence),
            about_the_signer=about_the_signer(evidence),
            most_reasons=MOST_REASONS,
            most_changes=MOST_CHANGES,
            palette=palette.ALL,
            shares=SHARES,
            p_values=wording.p_values,
            value_of=partial(rules.value_in_words, evidence),
            limit_of=partial(rules.limit_in_words, evidence),
            chance_of=partial(verdicts.chance, evidence),
            remark_of=partial(verdicts.remark, evidence),
        )
    )


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
        "name": partial(wording.brief, cells=wording.NAME_CELLS),
        "reason": partial(wording.brief, cells=wording.SENTENCE_CELLS),
        "group": wording.group_name,
        "count": wording.count,
        "percent": wording.percent,
        "limit": wording.limit,
        "size": wording.size,
        "items": wording.items,
        "behind": wording.behind,
        "p": p_value,
        "metric": summary.metric_name,
        "summary": summary.summarise,
        "methods": summary.interval_methods,
        "methods_between": summary.methods_between,
        "change_methods": summary.change_methods,
        "ratio": exemplars.ratio,
        "picture": Markup,
    }
    return environment
