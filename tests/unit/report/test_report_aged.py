"""Evidence that was written before findings were tested is still read and rendered."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from report_aged import LATER, aged
from report_sample import make_evidence
from rich.console import Console

from audit_pipeline.evidence import Evidence
from audit_pipeline.report.evidence_file import load_evidence
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.terminal import render_terminal


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    path: Path = tmp_path_factory.mktemp("old") / "evidence.json"
    document = aged(make_evidence())
    assert not any(f'"{key}"'.encode() in document for key in LATER)
    path.write_bytes(document)
    return load_evidence(path)


def test_what_came_later_is_absent(old: Evidence) -> None:
    assert old.exemplars is None
    assert all(finding.breach is None and finding.prospect is None for finding in old.findings)
    assert all(metric.change is None for row in old.groups for metric in row.metrics)


def test_the_page_has_no_empty_columns(old: Evidence) -> None:
    page = render_html(old)
    assert "the whole interval lies beyond the limit" in page
    assert all(word not in page for word in ("Any change?", "Limit kept?", "Who was changed", "Holm"))
    assert all(finding.reason.removeprefix(f"{finding.group.label}: ") in page for finding in old.findings)


def test_markdown_has_no_empty_columns(old: Evidence) -> None:
    markdown = render_markdown(old)
    assert all(word not in markdown for word in ("Any change", "Limit kept", "Who was changed", "Holm"))
    assert "| Outcome | Rule | Group | Value | Limit | Remarks |" in markdown


def test_the_terminal_shows_it(old: Evidence) -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(render_terminal(old))
    assert "REFUSED" in console.file.getvalue()  # type: ignore[attr-defined]
