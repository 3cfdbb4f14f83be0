"""`audit log`: read the trail, and recompute it."""

from __future__ import annotations

from typing import Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption

app = typer.Typer(help="Read and verify the audit trail.", invoke_without_command=True)

RunOption = Annotated[str | None, typer.Option("--run", help="Only the entries of this run.")]


@app.callback()
def default(
    context: typer.Context, trail: TrailOption = DEFAULT_TRAIL, run: RunOption = None, as_json: JsonFlag = False
) -> None:
    """List the entries; see `audit log verify` to recompute them."""
    if context.invoked_subcommand is None:
        list_(trail, run, as_json)


@app.command("list")
def list_(trail: TrailOption = DEFAULT_TRAIL, run: RunOption = None, as_json: JsonFlag = False) -> None:
    """List the entries in order."""
    from rich.console import Group
    from rich.text import Text

    from audit_pipeline.canonical import canonical_json
    from audit_pipeline.trail.log import Trail

    with Trail.open(trail, create=False) as opened:
        entries = list(opened.entries(run))
        head = opened.head()
    lines = [
        f"{entry.index:>4}  {entry.at}  {entry.kind:<9}  {entry.run}  {canonical_json(entry.body).decode()}"
        for entry in entries
    ]
    lines.append(f"{head.size} entries, root {head.root}")
    listing = Group(*(Text(line, no_wrap=True, overflow="ellipsis") for line in lines))
    show(
        {"size": head.size, "root": head.root, "entries": [entry.to_json() for entry in entries]},
        listing,
        as_json=as_json,
    )


@app.command("verify")
def verify(trail: TrailOption = DEFAULT_TRAIL, as_json: JsonFlag = False) -> None:
    """Recompute every hash from the stored bytes; exit 1 at the first entry that was changed."""
    from audit_pipeline.trail.log import Trail

    with Trail.open(trail, create=False) as opened:
        head = opened.verify()
    text = (
        f"{head.size} entries, root {head.root}: every hash recomputed and equal.\n"
        "Whoever holds the database could have rewritten it whole: compare this root with one kept elsewhere\n"
        "(each run's evidence and verdict attestation hold the root of their day; `audit gate` compares them)."
    )
    show({"size": head.size, "root": head.root, "verified": True}, text, as_json=as_json)
