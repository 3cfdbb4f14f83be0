"""`audit diff`: what got better or worse from one run to the next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, progress_bar, show, show_text
from audit_pipeline.errors import ExitCode


class Form(StrEnum):
    """A renderer of a diff."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"


def diff(
    before: Annotated[Path, typer.Argument(metavar="RUN_A", help="Folder of the run to compare with.")],
    after: Annotated[Path, typer.Argument(metavar="RUN_B", help="Folder of the run that is new.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Manifest of the data set, where it is not where the runs found it.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="How to render it.")] = Form.TERMINAL,
    as_json: JsonFlag = False,
) -> None:
    """Test what got better or worse from RUN_A to RUN_B, by group, on the same rows.

    Exits 1 where something got surely worse in any group, else 0: that nothing surely did is no proof that nothing did.
    """
    from audit_pipeline.diff import diff as compare
    from audit_pipeline.report.diff_markdown import render_diff_markdown
    from audit_pipeline.report.diff_terminal import render_diff_terminal

    with progress_bar() as progress:
        found = compare(before, after, data, progress, now=now())
    if form is Form.MARKDOWN and not as_json:
        show_text(render_diff_markdown(found))
    else:
        document = found.model_dump(mode="json", by_alias=True)
        show(document, render_diff_terminal(found), as_json=as_json or form is Form.JSON)
    raise typer.Exit(ExitCode.FAIL if found.worse else ExitCode.PASS)
