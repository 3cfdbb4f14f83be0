"""`audit log`: what the trail holds, a line for each entry; the other commands of the family are put together here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.trail.kind import Kind

app = typer.Typer(help="Read the audit trail, check it, and prove what it holds.", invoke_without_command=True)

RunOption = Annotated[str | None, typer.Option("--run", help="Only the entries of this run.")]


@app.callback()
def default(
    context: typer.Context, trail: TrailOption = DEFAULT_TRAIL, run: RunOption = None, as_json: JsonFlag = False
) -> None:
    """Read the audit trail, check it, and prove what it holds. Without a command: list it."""
    if context.invoked_subcommand is None:
        list_(trail, run, as_json=as_json)
        return
    misplaced = [name for name in ("trail", "run", "as_json") if _was_given(context, name)]
    if misplaced:
        raise InputError(
            "usage",
            "options of audit log stand after its command, or they would be passed over",
            hint=f"such as `audit log {context.invoked_subcommand} --trail FILE`",
        )


@app.command("list")
def list_(
    trail: TrailOption = DEFAULT_TRAIL,
    run: RunOption = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only entries of this kind: verdict, approval, …")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only entries from then on, UTC: 2026-05-04 or 2026-05-04T12:00:00Z.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the entries in order, as they are recorded; `audit log verify` tells whether they hold."""
    from rich.console import Group
    from rich.text import Text

    from audit_pipeline.cli.log_lines import EntryLines
    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.summary import in_words

    wanted, start = _kind(kind), _moment(since)
    with Trail.open(trail, create=False) as opened:
        entries = [entry for entry in opened.entries(run, wanted) if start is None or _at(entry.at) >= start]
        head = opened.head()
    shown = f"{len(entries)} of " if len(entries) != head.size else ""
    counted = f"{shown}{head.size} {'entry' if head.size == 1 else 'entries'}\nroot {head.root}"
    result = {
        "size": head.size,
        "root": head.root,
        "entries": [{**entry.to_json(), "what": in_words(entry)} for entry in entries],
    }
    show(result, Group(EntryLines(entries), Text(counted)), as_json=as_json)


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _kind(word: str | None) -> Kind | None:
    if word is None:
        return None
    from typing import get_args

    from audit_pipeline.spelling import did_you_mean
    from audit_pipeline.trail.kind import Kind

    kinds: tuple[Kind, ...] = get_args(Kind)
    for kind in kinds:
        if kind == word:
            return kind
    raise InputError(
        "log.kind",
        f"no entry is of kind {word[:64]!r}{did_you_mean(word, kinds)}",
        where="--kind",
        hint=f"one of {', '.join(kinds)}",
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return _at(text)
    except ValueError as error:
        raise InputError(
            "log.since",
            f"{text[:64]!r} is no date or moment",
            where="--since",
            hint="give it in UTC, as 2026-05-04 or 2026-05-04T12:00:00Z",
        ) from error


def _at(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
