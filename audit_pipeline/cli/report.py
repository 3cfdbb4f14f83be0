"""`audit report` and `audit schema`: renderings and published formats."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from audit_pipeline.cli.console import JsonFlag, say, show, show_text
from audit_pipeline.cli.output import write_whole
from audit_pipeline.errors import InputError


class Format(StrEnum):
    """A renderer."""

    TERMINAL = "terminal"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


class Schema(StrEnum):
    """A published format."""

    POLICY = "policy"
    EVIDENCE = "evidence"
    TRUST = "trust"
    BOARDS = "boards"


def report(
    run: Annotated[Path, typer.Argument(help="A run's folder, or its evidence.json.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="How to render it.")] = Format.TERMINAL,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of stdout.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Render a run again, from its evidence alone."""
    from audit_pipeline.report.evidence_file import load_evidence
    from audit_pipeline.report.html import render_html
    from audit_pipeline.report.markdown import render_markdown
    from audit_pipeline.report.terminal import render_terminal

    evidence = load_evidence(run / "evidence.json" if run.is_dir() else run)
    if as_json or form is Format.JSON:
        text = evidence.canonical().decode()
    elif form is Format.HTML:
        text = render_html(evidence)
    elif form is Format.MARKDOWN:
        text = render_markdown(evidence)
    elif output is None:
        show({}, render_terminal(evidence), as_json=False)
        return
    else:
        raise InputError("report.terminal-file", "the terminal summary has no file", hint="add --format html")
    if output is None:
        show_text(text)
        return
    write_whole(output, text.encode())
    say(f"wrote {output}")


def schema(
    name: Annotated[Schema, typer.Argument(help="Which format.")],
    as_json: JsonFlag = False,
) -> None:
    """Print a published format: the policy's, evidence's or trust file's JSON Schema, or the known boards."""
    document: Any
    if name is Schema.POLICY:
        from audit_pipeline.policy.load import policy_schema

        document = policy_schema()
    elif name is Schema.EVIDENCE:
        from audit_pipeline.report.evidence_file import evidence_schema

        document = evidence_schema()
    elif name is Schema.TRUST:
        from audit_pipeline.seal.trust.schema import trust_schema

        document = trust_schema()
    else:
        from dataclasses import asdict

        from audit_pipeline.policy.boards import BOARDS

        document = [asdict(board) for board in BOARDS.values()]
    show(document, "", as_json=True)
