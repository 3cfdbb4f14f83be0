"""A search as it goes on: a live table on a terminal, plain lines elsewhere; and the world around it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from audit_pipeline.cli.console import printable, progress_bar, say
from audit_pipeline.errors import InputError
from audit_pipeline.progress import Progress
from audit_pipeline.search.around import Around, News, Observer, State

CacheOption = Annotated[
    Path | None,
    typer.Option("--cache", help="Where a search and an attacker's models are kept; else in your cache folder."),
]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="Remember nothing: what is killed starts again.")]
JobsOption = Annotated[
    int, typer.Option("--jobs", min=1, max=64, help="Processes that an attacker's shadow models are trained in.")
]
AllowCodeOption = Annotated[
    bool, typer.Option("--allow-code", help="Run the training function that the policy names, from beside it.")
]

_STYLES = {State.RUNNING: "cyan", State.MEASURED: "", State.DROPPED: "dim", State.CHOSEN: "bold green"}
_FRAME_LINES = 8
"""Lines of the screen that are no trial's: heading, bars and what stood there before."""


def cache_folder(cache: Path | None, *, no_cache: bool) -> Path | None:
    """Where a search remembers: the folder that was asked for, or one of the user's own; None for none.

    Not beside the policy: a checkout may be read-only, and what lies in one came from whoever wrote to it, while what
    is remembered is shipped.

    Raises:
        InputError: both were asked for.
    """
    if cache is not None and no_cache:
        raise InputError("usage", "either --cache or --no-cache, and not both")
    if cache is not None or no_cache:
        return cache
    own = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(own) / "audit-pipeline"
    existing = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return folder if folder.is_absolute() and os.access(existing, os.W_OK) else None


@contextmanager
def search_screen(cache: Path | None, *, jobs: int = 1, allow_code: bool = False) -> Iterator[tuple[Progress, Around]]:
    """What a command that may search or attack needs: somebody to tell how far it is, and the world around it.

    Args:
        cache: what `cache_folder` gave.
        jobs: processes that an attacker's models are trained in.
        allow_code: whether the training function beside a policy may be run.
    """
    console = Console(stderr=True, highlight=False)
    seen: list[News] = []

    def noticed(observe: Observer) -> Around:
        def take(news: News) -> None:
            seen.append(news)
            observe(news)

        return Around(cache, time.monotonic, take, jobs, allow_code)

    try:
        if console.is_terminal:
            with _live(console) as (progress, observe):
                yield progress, noticed(observe)
        else:
            with progress_bar() as progress:
                yield progress, noticed(lambda news: _print_line(console, news))
    except KeyboardInterrupt:
        if seen and cache is not None:
            say(f"what was tried is kept in {cache}: the same command goes on from there")
        raise


@contextmanager
def _live(console: Console) -> Iterator[tuple[Progress, Observer]]:
    from rich.live import Live
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console)
    tasks: dict[str, Any] = {}
    trials: dict[int, News] = {}

    def picture() -> RenderableType:
        return Group(trial_table(trials.values(), console.height - _FRAME_LINES), bars) if trials else bars

    def advance(step: str, done: float) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(escape(printable(step)), total=1.0)
        bars.update(tasks[step], completed=done)

    def observe(news: News) -> None:
        trials[news.number] = news
        if news.state is State.RUNNING:
            for task in tasks.values():
                bars.remove_task(task)
            tasks.clear()
        live.refresh()

    with Live(get_renderable=picture, console=console, transient=True, refresh_per_second=4) as live:
        yield advance, observe


def trial_table(trials: Iterable[News], lines: int) -> Table:
    """Trials in their order; where there is no room for all, those that were dropped first go first.

    Args:
        trials: the last news of each.
        lines: how many fit.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("trial", "recipe", "round", "flash", "worst drop", "rules", "state"):
        # Only a column that may wrap gives way on a narrow screen: the recipe, whose cells are cut instead.
        justify: Literal["left", "right"] = "left" if title in ("recipe", "state") else "right"
        table.add_column(title, justify=justify, no_wrap=title != "recipe")
    shown = sorted(trials, key=lambda news: (news.state is not State.DROPPED, news.round), reverse=True)[
        : max(lines, 1)
    ]
    for news in sorted(shown, key=lambda news: news.number):
        style = _STYLES[news.state]
        cells = (*_cells(news), news.state.value)
        table.add_row(*(Text(cell, style, no_wrap=True, overflow="ellipsis") for cell in cells))
    return table


def _cells(news: News) -> tuple[str, ...]:
    return (
        str(news.number),
        printable(news.label),
        str(news.round),
        f"{news.size_bytes:,}" if news.size_bytes is not None else "",
        f"{news.worst_drop:.3f}" if news.worst_drop is not None else "",
        "" if news.violation is None else _rules(news.violation),
    )


def _rules(violation: float) -> str:
    return f"kept by {-violation:.3f}" if violation <= 0 else f"broken by {violation:.3f}"


def _print_line(console: Console, news: News) -> None:
    if news.state is State.RUNNING:
        return
    words = [f"{news.size_bytes:,} bytes" if news.size_bytes is not None else "no model"]
    words += [f"worst drop {news.worst_drop:.3f}"] if news.worst_drop is not None else []
    words += [f"rules {_rules(news.violation)}"] if news.violation is not None else []
    said = f"· round {news.round}, trial {news.number}, {news.label}: " + (
        f"{news.state.value}: {news.remark}" if news.remark else ", ".join(words)
    )
    console.print(escape(printable(said)), soft_wrap=True)
