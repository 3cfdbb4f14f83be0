"""One screen: the verdict, who is worse off, what it costs on the board, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from audit_pipeline.evidence import Evidence, Finding
from audit_pipeline.measurement import GroupKey, Outcome
from audit_pipeline.report.comparison import SEVERITY, Line, MetricTable, metric_tables, worst
from audit_pipeline.report.headline import headline
from audit_pipeline.report.summary import change, metric_name
from audit_pipeline.report.wording import count, group_name, one_line, percent, share, shortened, size

MOST_METRICS = 3
MOST_GROUPS = 7
MOST_REASONS = 3
_LABEL_CELLS = 24
_REASON_CELLS = 144
"""Two lines of the second column of an 80 column screen."""

_STYLES: dict[Outcome | None, str] = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.INCONCLUSIVE: "yellow",
    None: "default",
}
_MARKS = {Outcome.PASS: " ✓", Outcome.FAIL: " ✗", Outcome.INCONCLUSIVE: " ?", None: ""}


def render_terminal(evidence: Evidence) -> Group:
    """A summary that fits 80 columns and 30 lines; what it leaves out it counts.

    Returns:
        A renderable; the caller prints it. Text from outside enters as `Text`, never as markup.
    """
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    facts.add_row("board", _footprint(evidence))
    for index, reason in enumerate(_reasons(evidence)):
        facts.add_row("" if index else "why", reason)
    facts.add_row("run", Text(one_line(evidence.run.id)))
    return Group(*_verdict(evidence), *_groups(evidence), facts)


def _verdict(evidence: Evidence) -> list[RenderableType]:
    said = headline(evidence)
    lines: list[RenderableType] = [
        Text.assemble((f" {said.word} ", f"{_STYLES[said.outcome]} reverse"), f" {said.meaning}"),
        Text(said.tally),
    ]
    if evidence.data.synthetic:
        name = one_line(evidence.data.name)
        lines.append(Text.assemble(("SYNTHETIC DATA", "bold yellow"), f" {name}: generated, no real people"))
    return lines


def _groups(evidence: Evidence) -> list[RenderableType]:
    ruled = [table for table in metric_tables(evidence) if table.claims]
    shown = ruled[:MOST_METRICS]
    if not shown:
        return []
    overall = [table.overall for table in shown]
    ranked = _ranked(shown)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("before → after", no_wrap=True, overflow="ellipsis")
    for each in shown:
        table.add_column(Text(shortened(metric_name(each), 18)), justify="right", no_wrap=True)
    if any(overall):
        table.add_row(Text("overall", "bold"), *(_cell(line) for line in overall))
    for group, lines in ranked[:MOST_GROUPS]:
        table.add_row(Text(shortened(group_name(group), _LABEL_CELLS)), *(_cell(line) for line in lines))
    for finding in (finding for each in shown for finding in each.between):
        table.add_row(
            Text(shortened(group_name(finding.group), _LABEL_CELLS)),
            *(_gap(finding) if finding in each.between else Text("") for each in shown),
        )
    return [Text(""), table, *_left_out(ranked[MOST_GROUPS:], len(ruled) - len(shown)), Text("")]


def _ranked(tables: Sequence[MetricTable]) -> list[tuple[GroupKey, list[Line | None]]]:
    """Every group with its line in each table, the worst first."""
    lines = [{line.group: line for line in table.lines} for table in tables]
    groups = dict.fromkeys(group for by_group in lines for group in by_group)
    ranked = [(group, [by_group.get(group) for by_group in lines]) for group in groups]
    return sorted(ranked, key=lambda entry: min(line.severity for line in entry[1] if line))


def _cell(line: Line | None) -> Text:
    if line is None:
        return Text("–", "dim")
    return Text(change(line) + _MARKS[line.outcome], _STYLES[line.outcome])


def _gap(finding: Finding) -> Text:
    return Text(f"gap {share(finding.value)}{_MARKS[finding.outcome]}", _STYLES[finding.outcome])


def _left_out(groups: Sequence[tuple[GroupKey, list[Line | None]]], metrics: int) -> list[Text]:
    parts = []
    if groups:
        outcomes = Counter(worst(line.outcome for line in lines if line) for _, lines in groups)
        words = {Outcome.FAIL: "failed", Outcome.INCONCLUSIVE: "inconclusive", Outcome.PASS: "passed", None: "no rule"}
        counted = ", ".join(f"{outcomes[each]} {words[each]}" for each in SEVERITY if outcomes[each])
        parts.append(f"{count(len(groups), 'more group')} ({counted})")
    if metrics:
        parts.append(count(metrics, "more metric") + " under a rule")
    return [Text(f"and {', '.join(parts)}: see the report", "dim")] if parts else []


def _footprint(evidence: Evidence) -> Text:
    footprint = evidence.footprint
    arena = "cannot run" if footprint.arena_bytes is None else _share(footprint.arena_bytes, footprint.arena_limit)
    fits = ("fits", "green") if footprint.fits else ("does not fit", "bold red")
    return Text.assemble(
        f"{one_line(footprint.board)} ",
        fits,
        f": flash {_share(footprint.flash_bytes, footprint.flash_limit)}, RAM {arena}",
        f", {footprint.macs / 1e6:,.2f} M MACs",
    )


def _share(used: int, limit: int) -> str:
    return f"{size(used)} ({percent(used / limit) if limit else 'no limit'})"


def _reasons(evidence: Evidence) -> list[Text]:
    reasons = evidence.verdict.reasons
    lines = [Text(shortened(one_line(reason), _REASON_CELLS)) for reason in reasons[:MOST_REASONS]]
    if len(reasons) > MOST_REASONS:
        lines.append(Text(f"and {count(len(reasons) - MOST_REASONS, 'more reason')} in the report", "dim"))
    return lines
