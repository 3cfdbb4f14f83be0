"""The two streams: results on stdout, progress and messages on stderr, colour only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.markup import escape

from audit_pipeline.errors import AuditError
from audit_pipeline.progress import Progress

_PIPE_COLUMNS = 120

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result, or the error, as JSON on stdout.")]


_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Unicode's bidirectional controls (UAX 9) and line separators, which show a text in another order than it has."""
_CONTROL = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160), *_DIRECTIONS) if code not in (9, 10)
}


def printable(text: str) -> str:
    """Text from outside without the characters that steer a terminal: a model's layer can be named anything."""
    return text.translate(_CONTROL)


def say(message: str) -> None:
    """A message for the person at the terminal; not part of the result."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(printable(message)))


def show(value: Any, renderable: RenderableType, *, as_json: bool) -> None:
    """Print one result: the value as JSON, or its picture for people."""
    if as_json:
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        # Into a file or a pipe: wide enough for a table, whatever the width of the window behind it.
        console = Console(highlight=False, width=_PIPE_COLUMNS)
    if isinstance(renderable, str):
        console.print(printable(renderable), soft_wrap=True)
    else:
        console.print(renderable)


def show_text(text: str) -> None:
    """Print a document byte for byte, so that what is redirected equals the file in the run's folder."""
    sys.stdout.write(text)


def show_error(error: AuditError, *, as_json: bool) -> None:
    """Print what happened, where, and what to do next."""
    if as_json:
        sys.stdout.write(json.dumps({"error": error.to_json()}, indent=2) + "\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]error[/]: {escape(printable(str(error)))} [dim]({escape(error.code)})[/]")
    if error.hint:
        console.print(f"  [bold]next[/]: {escape(printable(error.hint))}")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr, one line a step; steps as plain lines where stderr is not a terminal."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        started: set[str] = set()

        def line(step: str, done: float) -> None:
            if step not in started:
                started.add(step)
                console.print(f"· {escape(step)}", soft_wrap=True)

        yield line
        return

    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as bars:
        tasks: dict[str, Any] = {}

        def advance(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(escape(step), total=1.0)
            bars.update(tasks[step], completed=done)

        yield advance
