"""Markdown: read back by another parser, it says what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_hostile import HOSTILE, hostile_evidence
from report_sample import make_evidence
from report_tasks import make_regression

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import GroupKey
from audit_pipeline.report.headline import headline
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.markdown_text import text
from audit_pipeline.report.verdicts import remark
from audit_pipeline.report.wording import group_name, one_line

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def words(tokens: list[Token]) -> str:
    return "".join(
        token.content if token.type in {"text", "code_inline", "fence"} else words(token.children or [])
        for token in tokens
    )


def cells(markdown: str) -> list[str]:
    tokens = READER.parse(markdown)
    return [words([tokens[i + 1]]) for i, token in enumerate(tokens) if token.type == "td_open"]


@given(st.text() | st.sampled_from(HOSTILE) | st.text(alphabet="*_`~[]()#+-=.!|<>&\\ 1aA:/w"))
def test_text_from_outside_reads_as_itself(value: str) -> None:
    for template in ("{}", "- {}", "before {} after", "**Rule** {}"):
        tokens = READER.parse(template.format(text(value)))
        kinds = {token.type for token in tokens} | {t.type for token in tokens for t in token.children or []}
        assert one_line(value) in words(tokens)
        assert not kinds & {
            "html_block",
            "html_inline",
            "code_inline",
            "heading_open",
            "hr",
            "link_open",
            "image",
            "em_open",
        }


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_cell_stays_one_cell(value: str) -> None:
    assert cells(f"| a | b |\n| --- | --- |\n| {text(value)} | end |") == [one_line(value), "end"]


def test_it_opens_with_the_verdict(sample_evidence: Evidence) -> None:
    said = headline(sample_evidence)
    assert render_markdown(sample_evidence).startswith(f"# {said.word}: {said.meaning}\n")


def test_every_finding_and_group_is_there(sample_evidence: Evidence) -> None:
    found = words(READER.parse(render_markdown(sample_evidence)))
    assert all(reason in found for reason in sample_evidence.verdict.reasons)
    assert all(remark(sample_evidence, finding) in found for finding in sample_evidence.findings)
    assert all(row.group.label in found for row in sample_evidence.groups)
    assert "no row of class F in this group" in found


def test_hostile_names_break_no_table() -> None:
    markdown = render_markdown(hostile_evidence())
    tokens = READER.parse(markdown)
    assert not [token for token in tokens if token.type == "html_block"]
    shown = cells(markdown)
    for value in HOSTILE:
        assert group_name(GroupKey(by=("sex",), values=(value,))) in shown
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert "line two" not in headings


@pytest.mark.parametrize("synthetic", [True, False])
def test_generated_data_are_called_synthetic(synthetic: bool) -> None:
    assert ("SYNTHETIC DATA" in render_markdown(make_evidence(synthetic=synthetic))) is synthetic


def test_the_same_evidence_gives_the_same_text(sample_evidence: Evidence) -> None:
    again = Evidence.model_validate_json(sample_evidence.canonical())
    assert render_markdown(again) == render_markdown(sample_evidence)


def test_p_values_and_changed_rows_have_their_columns(refused: Evidence) -> None:
    markdown = render_markdown(refused)
    assert (
        "| sex=F | 1,610 | 11 | 0.724 (0.704 to 0.744) | 0.104 (0.084 to 0.124) | +0.620 (+0.608 to +0.632) "
        "| &lt;0.001 | &lt;0.001 | FAIL |"
    ) in markdown
    value = "+0.620 (+0.608 to +0.632) on 1,610 rows of 11 people"
    assert f"| sex=F | {value} | at most 0.02 | &lt;0.001 | &lt;0.001 |  |" in markdown
    assert "| 40113 | V | F | lost | +0.980 |" in markdown


def test_numbers_that_are_no_shares_name_their_unit() -> None:
    markdown = render_markdown(make_regression())
    assert "### Root mean squared error in beats/min" in markdown
    assert "| sex=F | +4.21 beats/min (+4.13 to +4.29) on 880 rows of 11 people | at most 0.5 beats/min |" in markdown
    assert "in the unit of the labels" in render_markdown(make_regression(unit=None))
