"""What was changed before a run, what it passed under and who answers for it stand where nobody can miss them."""

from __future__ import annotations

import io

import pytest
from report_sample import GROUPS, RECALL_OF_V, make_evidence
from rich.console import Console
from test_report_html import Page

from audit_pipeline.evidence import Evidence, Origin
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy_part import MadeChange, PolicyChange, PolicyEdit
from audit_pipeline.report.headline import headline
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.policy_changes import edit_lines
from audit_pipeline.report.terminal import render_terminal
from audit_pipeline.waiver_part import WaiverPart, WaiverUse

DROP = PolicyEdit(
    path="fairness.recall[V].max_drop", groups=("overall", "sex*age_band"), before=0.02, after=0.05, effect="loosened"
)
OTHER = PolicyEdit(path="compress.seed", before=0, after=7, effect="other")
LOOSENED = PolicyChange(run="2026-03-01-a", name="wearable-ecg", sha256="0" * 64, outcome="FAIL", edits=(DROP, OTHER))
SENTENCE = "largest drop of recall of V, in overall, sex × age_band: 0.02 → 0.05"


def small(outcome: Outcome) -> Evidence:
    """A run with few groups and few pictures."""
    return make_evidence(outcome, groups=GROUPS[:2], metrics=(RECALL_OF_V,))


def with_change(evidence: Evidence, *earlier: MadeChange, changed: PolicyChange | None = LOOSENED) -> Evidence:
    policy = evidence.policy.model_copy(update={"changed": changed, "changed_before": earlier})
    return evidence.model_copy(update={"policy": policy})


def under_waiver(use: str = "used") -> Evidence:
    """A run that failed and was decided again under one waiver."""
    evidence = small(Outcome.FAIL)
    failed = next(finding for finding in evidence.findings if finding.outcome is Outcome.FAIL)
    waiver = WaiverPart(
        sha256="a" * 64,
        rule=failed.rule,
        group=failed.group.label,
        limit=0.3,
        reason="The successor is in trial until June.",
        issued="2026-03-02T00:00:00Z",
        expires="2026-06-30T00:00:00Z",
        approvers=("b" * 64, "c" * 64),
    )
    told = WaiverUse.model_validate({"sha256": waiver.sha256, "use": use, "finding": failed.id, "reason": "it holds"})
    verdict = evidence.verdict.model_copy(update={"outcome": Outcome.PASS, "reasons": (), "waived": (told,)})
    assert evidence.trail is not None
    origin = Origin(
        run=evidence.run.model_copy(update={"id": "measured"}), verdict=evidence.verdict, trail=evidence.trail
    )
    return evidence.model_copy(update={"waivers": (waiver,), "verdict": verdict, "origin": origin})


def screen(evidence: Evidence) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(render_terminal(evidence))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_limit_loosened_after_a_fail_stands_above_everything_else_on_the_page() -> None:
    text = Page(render_html(with_change(small(Outcome.PASS)))).text
    said = "The policy was loosened after run 2026-03-01-a ended in FAIL:"
    assert text.index("SEALED") < text.index(said) < text.index(SENTENCE) < text.index("Overall, and the group")
    assert "seed" not in text[: text.index("Contents") if "Contents" in text else text.index("Before and after")]


def test_it_stands_above_everything_else_in_markdown_and_on_the_terminal_too() -> None:
    evidence = with_change(small(Outcome.FAIL))
    markdown = render_markdown(evidence)
    assert markdown.index("**The policy was loosened after run 2026-03-01-a ended in FAIL:**") < markdown.index(
        "## Why"
    )
    shown = " ".join(screen(evidence).split())
    assert f"The policy was loosened after run 2026-03-01-a ended in FAIL: {SENTENCE}" in shown


def test_every_edit_stands_in_a_section_of_its_own() -> None:
    evidence = with_change(small(Outcome.PASS))
    text = Page(render_html(evidence)).text
    section = text[text.rindex("Changes of the policy") :]
    assert section.index("After run 2026-03-01-a ended in FAIL") < section.index("compress: seed 0 7 other")
    assert "| compress: seed |  | 0 | 7 | other |" in render_markdown(evidence)


def test_a_change_for_an_earlier_run_is_told_until_a_release() -> None:
    earlier = MadeChange(run="2026-03-02-b", change=LOOSENED)
    evidence = with_change(small(Outcome.PASS), earlier, changed=None)
    said = "loosened after run 2026-03-01-a ended in FAIL, for run 2026-03-02-b"
    assert said in Page(render_html(evidence)).text
    assert said in render_markdown(evidence)
    assert "loosened after run 2026-03-01-a" in screen(evidence)


def test_a_change_against_another_policys_run_names_that_policy() -> None:
    renamed = LOOSENED.model_copy(update={"name": "older-name"})
    said = "The policy was loosened after run 2026-03-01-a, by policy older-name, ended in FAIL"
    assert said in Page(render_html(with_change(small(Outcome.PASS), changed=renamed))).text


def test_what_was_not_loosened_is_no_warning() -> None:
    tighter = LOOSENED.model_copy(update={"edits": (DROP.model_copy(update={"effect": "tightened"}), OTHER)})
    text = Page(render_html(with_change(small(Outcome.PASS), changed=tighter))).text
    assert "The policy was loosened" not in text
    assert "tightened" in text


def test_without_a_change_nothing_is_said_of_one() -> None:
    evidence = small(Outcome.PASS)
    for text in (render_html(evidence), render_markdown(evidence), screen(evidence)):
        assert "loosened" not in text
        assert "Waivers" not in text


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (DROP, SENTENCE),
        (
            PolicyEdit(path="fairness.auc.min", groups=("sex",), before=0.8, effect="loosened"),
            "least AUC, in sex: 0.8 → asked no more",
        ),
        (
            PolicyEdit(path="privacy.membership.max_tpr", groups=("overall",), after=0.1, effect="tightened"),
            "most members recognised, in overall: not asked → 0.1",
        ),
        (
            PolicyEdit(path="statistics.min_people", before=8, after=1, effect="loosened"),
            "least people behind a number: 8 → 1",
        ),
        (
            PolicyEdit(path="approvals.clinical-safety", before=2, after=1, effect="loosened"),
            "approvals by clinical-safety: 2 → 1",
        ),
        (
            PolicyEdit(path="human_centred.responsible.missed_alarm", before="the maker", after="b", effect="other"),
            "Who answers for a missed alarm?: the maker → b",
        ),
        (
            PolicyEdit(path="human_centred.author.key", before="0", effect="other"),
            "Who wrote the policy?: 0 → asked no more",
        ),
        (
            PolicyEdit(path="compress.recipe", before=[{"quantize": {"bits": 8}}], after=[], effect="other"),
            "compress: recipe: quantize bits 8 → (blank)",
        ),
    ],
)
def test_an_edit_reads_as_a_sentence(edit: PolicyEdit, sentence: str) -> None:
    [line] = edit_lines([edit])
    assert line.sentence == sentence


def test_who_answers_for_either_error_stands_under_the_verdict() -> None:
    evidence = small(Outcome.PASS)
    said = (
        "For a missed alarm answers Clinical safety officer; for a false alarm answers Head of product, Acme Wearables."
    )
    text = Page(render_html(evidence)).text
    assert text.index(said) < text.index("Overall, and the group")
    assert said in render_markdown(evidence).replace("**", "")
    assert "missed alarm: Clinical" in screen(evidence)


def test_a_release_under_a_waiver_says_so_first_and_until_when() -> None:
    evidence = under_waiver()
    assert "All" not in headline(evidence).tally
    assert (
        "is waived: what the policy does not allow is let pass until 2026-06-30T00:00:00Z" in headline(evidence).tally
    )
    text, markdown = Page(render_html(evidence)).text, render_markdown(evidence)
    for said in (text, markdown):
        first = said.index("Nothing was measured anew: the findings are those of run measured, whose verdict was FAIL")
        assert first < said.index("The successor is in trial until June.")
    assert "0.02 → 0.3" in text
    assert f"{'b' * 16}…" in text
    assert f"`{'c' * 16}…`" in markdown
    assert "2026-06-30" in screen(evidence)


def test_a_waiver_that_nothing_rests_on_is_listed_and_warns_of_nothing() -> None:
    evidence = under_waiver("unused").model_copy(update={"origin": None})
    text = Page(render_html(evidence)).text
    assert "is waived" not in text
    section = text[text.rindex("Waivers") :]
    assert section.index("until June") < section.index("unused") < section.index("it holds")


def test_the_data_say_why_they_may_be_used_and_until_when() -> None:
    evidence = small(Outcome.PASS)
    assert "- Lawful basis: not named" in render_markdown(evidence)
    data = evidence.data.model_copy(update={"lawful_basis": "consent, form 3", "retention_until": "2030-12-31"})
    text = Page(render_html(evidence.model_copy(update={"data": data}))).text
    assert "Lawful basis consent, form 3 May be used until 2030-12-31" in text
