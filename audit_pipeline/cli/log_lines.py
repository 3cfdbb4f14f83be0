"""Entries of the trail as lines: in columns where the console has room for them, else in two lines each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_pipeline.cli.console import printable
from audit_pipeline.trail.summary import in_words

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.text import Text

    from audit_pipeline.trail.entry import Entry

_NARROW_COLUMNS = 100
_LONGEST_RUN = 32
_LEAST_COLUMNS = 20

_STYLES = {"FAIL": "bold red", "PASS": "green", "INCONCLUSIVE": "yellow"}
_ALARMING = {"aborted": "yellow", "revocation": "bold red", "incident": "yellow", "redaction": "yellow"}


@dataclass(frozen=True)
class Unpadded:
    """Something to be printed, without the blanks that fill its lines up to their width."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, each up to its last word."""
        from rich.segment import Segment

        for line in console.render_lines(self.inner, options, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            yield from line[:-1]
            yield from (Segment(last.text.rstrip(), last.style) for last in line[-1:])
            yield Segment.line()


@dataclass(frozen=True)
class EntryLines:
    """Number, time, run, and what happened, for each entry."""

    entries: Sequence[Entry]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Columns of fixed width, which a log of any length prints as fast as it is read."""
        from rich.padding import Padding
        from rich.text import Text

        if not self.entries:
            return
        number = len(str(self.entries[-1].index))
        run = min(_LONGEST_RUN, max(len(entry.run) for entry in self.entries))
        narrow = options.max_width < _NARROW_COLUMNS
        indent = number + 2 if narrow else number + run + 26  # two blanks between columns, twenty digits of time
        for entry in self.entries:
            start = f"{entry.index:>{number}}  {time_of(entry.at)}  "
            told = told_of(entry)
            if narrow:
                yield Text(f"{start}{printable(entry.run)}", style="dim", no_wrap=True, overflow="ellipsis")
                yield Unpadded(Padding(told, (0, 0, 0, indent)))
                continue
            room = max(options.max_width - indent, _LEAST_COLUMNS)
            first, *rest = [told] if told.cell_len <= room else _wrapped(told, console, room)
            yield Text.assemble(f"{start}{_cut(printable(entry.run), run):<{run}}  ", first)
            for line in rest:
                yield Text.assemble(" " * indent, line)


def _wrapped(text: Text, console: Console, columns: int) -> list[Text]:
    lines = list(text.wrap(console, columns))
    for line in lines:
        line.rstrip()
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def told_of(entry: Entry) -> Text:
    """What happened in words, refusals and alarms in the colour of one."""
    from rich.text import Text

    style = _ALARMING.get(entry.kind, "")
    if entry.kind == "verdict":
        style = _STYLES.get(str(entry.body.get("outcome")), "")
    return Text(printable(in_words(entry)), style)


def time_of(at: str) -> str:
    """A recorded time for people, to the second; the date and the time are told apart by a space."""
    return f"{at[:10]} {at[11:19]}Z"
