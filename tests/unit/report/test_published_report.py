"""The report that the README shows is what the renderers draw of its evidence today."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.report.evidence_file import load_evidence
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown

SAMPLE = Path(__file__).parents[3] / "reports" / "sample"


@pytest.fixture(scope="module")
def published() -> Evidence:
    return load_evidence(SAMPLE / "evidence.json")


def test_page_and_markdown_are_drawn_from_the_evidence_beside_them(published: Evidence) -> None:
    again = "draw it again: audit report reports/sample --format html|markdown --output reports/sample/report.html|md"
    assert (SAMPLE / "report.html").read_text() == render_html(published), again
    assert (SAMPLE / "report.md").read_text() == render_markdown(published), again


def test_it_shows_what_a_report_can_show(published: Evidence) -> None:
    assert published.data.synthetic
    assert {finding.outcome for finding in published.findings} == set(Outcome)
    assert any(finding.prospect for finding in published.findings)
    assert any(metric.change for row in published.groups for metric in row.metrics)
    assert published.exemplars is not None
