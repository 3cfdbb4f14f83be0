"""`audit log show`: the log itself, one entry whole, or one run as it was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.console import JsonFlag, printable, show
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from audit_pipeline.trail.details import Detail
    from audit_pipeline.trail.entry import Entry
    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.timeline import Timeline

BY_NAME = "run:"
"""What stands before a run's name that would else be taken for a number."""

_MOST_DIGITS = 18


def show_(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|INDEX",
            help="A run's name (run:NAME where it is a number) or an entry's number; without, the log itself.",
        ),
    ] = None,
    trail: TrailOption = DEFAULT_TRAIL,
    as_json: JsonFlag = False,
) -> None:
    """Show who decided what on one run, one entry whole, or which log this is; as recorded, not verified."""
    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.timeline import timeline

    with Trail.open(trail, create=False) as opened:
        if what is None:
            _show_log(opened, as_json=as_json)
        elif (index := entry_number(what)) is not None:
            _show_entry(opened.entry(index), as_json=as_json)
        else:
            name = what.removeprefix(BY_NAME)
            told = timeline(opened, name)
            if told is None:
                raise no_such_run(opened, name)
            show(told.to_json(), _timeline(told), as_json=as_json)


def entry_number(what: str) -> int | None:
    """The number of an entry that was typed; None for anything else.

    Raises:
        InputError: `trail.no-such-entry`, a number that no database has.
    """
    if not (what.isascii() and what.isdecimal()):
        return None
    if len(what) > _MOST_DIGITS:
        raise InputError("trail.no-such-entry", f"there is no entry {what[:32]}…")
    return int(what)


def no_such_run(trail: Trail, name: str) -> InputError:
    """That a trail holds nothing of a run, and which one may have been meant."""
    from audit_pipeline.spelling import did_you_mean

    known = {entry.run for entry in trail.entries()}
    return InputError(
        "log.no-run",
        f"the trail holds no run {name[:255]!r}{did_you_mean(name, known)}",
        hint="`audit log list` names them; a run whose name is a number is given as run:NAME",
    )


def _show_log(trail: Trail, *, as_json: bool) -> None:
    identity, head = trail.log(), trail.head()
    result: dict[str, Any] = {
        "origin": identity.origin if identity else None,
        "vkey": identity.vkey if identity else None,
        "size": head.size,
        "root": head.root,
    }
    told = {
        "log": result["origin"] or "not named yet: the next entry gives it a key and a name",
        "its key": result["vkey"] or "none yet",
        "entries": str(head.size),
        "root": head.root,
    }
    show(result, _grid(told.items()), as_json=as_json)


def _show_entry(entry: Entry, *, as_json: bool) -> None:
    from rich.console import Group

    from audit_pipeline.cli.log_lines import time_of, told_of
    from audit_pipeline.trail.details import details
    from audit_pipeline.trail.summary import in_words

    head = {"entry": str(entry.index), "kind": entry.kind, "run": entry.run, "time": time_of(entry.at)}
    lines = [*head.items(), *_labelled(details(entry.body)), ("leaf hash", entry.leaf_hash.hex())]
    result = {**entry.to_json(), "what": in_words(entry), "canonical": entry.canonical.decode()}
    show(result, Group(told_of(entry), "", _grid(lines)), as_json=as_json)


def _timeline(told: Timeline) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from audit_pipeline.cli.log_lines import Unpadded, time_of, told_of

    parts: list[RenderableType] = [Text(printable(told.run), "bold"), _grid(_labelled(told.standing)), ""]
    for moment in told.moments:
        entry = moment.entry
        parts.append(Text.assemble(f"{time_of(entry.at)}  ", (f"{entry.kind}, entry {entry.index}", "dim")))
        parts.append(Padding(told_of(entry), (0, 0, 0, 2)))
        if moment.decided:
            parts.append(Padding(_grid(_labelled(moment.decided)), (0, 0, 0, 4)))
    parts += ["", Text("as it was entered: audit gate checks the signatures, audit log verify the log", "dim")]
    return Unpadded(Group(*parts))


def _labelled(lines: Sequence[Detail]) -> list[tuple[str, str]]:
    """Labels and texts, a label only once where lines follow each other under it."""
    before = ["", *(line.label for line in lines)]
    return [("" if line.label == above else line.label, line.text) for line, above in zip(lines, before, strict=False)]


def _grid(lines: Iterable[tuple[str, str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from audit_pipeline.cli.log_lines import Unpadded
    from audit_pipeline.trail.details import LOOSENED

    grid = Table.grid(padding=(0, 2))
    grid.add_column(max_width=28, overflow="fold")
    grid.add_column(overflow="fold")
    for label, text in lines:
        grid.add_row(
            Text(printable(label), "dim"), Text(printable(text), "bold yellow" if text.startswith(LOOSENED) else "")
        )
    return Unpadded(grid)
