"""One screen: the verdict, who is worse off, what it costs on the board, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Measured, Outcome
from audit_pipeline.report.answers import who_answers
from audit_pipeline.report.comparison import SEVERITY, Line, MetricTable, metric_tables, worst
from audit_pipeline.report.exemplars import headline as headline_of_changes
from audit_pipeline.report.headline import headline
from audit_pipeline.report.policy_changes import changes_of_policy
from audit_pipeline.report.summary import before_after, metric_name
from audit_pipeline.report.terminal_compression import MOST_STEPS, recipe_lines, search_lines
from audit_pipeline.report.wording import brief, count, group_name, one_line, percent, shortened, size

MOST_METRICS = 3
MOST_LINES = 8
"""Groups, steps of the recipe and lines of its search together."""
LEAST_GROUPS = 3
MOST_REASONS = 2
_LABEL_CELLS = 24
_METRIC_CELLS = 18
_NOTICE_CELLS = 146
"""Two lines, less what is said of more."""
_ANSWER_CELLS = 20
"""Both on one line."""
_REASON_CELLS = 204
"""Three lines of the second column of an 80 column screen."""

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
    compressed = _compressed(evidence)
    facts.add_row("board", _footprint(evidence))
    for head, line in compressed:
        facts.add_row(head, Text(line))
    if evidence.exemplars is not None:
        facts.add_row("changed", Text(headline_of_changes(evidence.exemplars)))
    for index, reason in enumerate(_reasons(evidence, MOST_REASONS - len(_loosened(evidence)))):
        facts.add_row("" if index else "why", reason)
    facts.add_row("answers", Text(_who_answers(evidence)))
    facts.add_row("run", Text(one_line(evidence.run.id)))
    return Group(*_verdict(evidence), *_groups(evidence, MOST_LINES - len(compressed)), facts)


def _who_answers(evidence: Evidence) -> str:
    said = who_answers(evidence.policy.document)
    return "; ".join(f"{error}: {brief(who, _ANSWER_CELLS)}" for error, who in said)


def _compressed(evidence: Evidence) -> list[tuple[str, str]]:
    """Every step of the recipe, and the search that found it."""
    found = evidence.candidate.search
    steps = ["recipe", *[""] * MOST_STEPS]
    lines = list(zip(steps, recipe_lines(evidence), strict=False))
    return lines if found is None else [*lines, *zip(("search", ""), search_lines(found, evidence.data), strict=True)]


def _verdict(evidence: Evidence) -> list[RenderableType]:
    said = headline(evidence)
    lines: list[RenderableType] = [
        Text.assemble((f" {said.word} ", f"{_STYLES[said.outcome]} reverse"), f" {said.meaning}"),
        Text(said.tally),
    ]
    if evidence.data.synthetic:
        name = one_line(evidence.data.name)
        lines.append(Text.assemble(("SYNTHETIC DATA", "bold yellow"), f" {name}: generated, no real people"))
    return [*lines, *(Text(line, "bold red") for line in _loosened(evidence))]


def _loosened(evidence: Evidence) -> list[str]:
    """The first limit that was loosened, and how many more were."""
    warned = [change for change in changes_of_policy(evidence.policy) if change.warning]
    if not warned:
        return []
    more = sum(len(change.loosened) for change in warned) - 1
    said = f"{warned[0].warning}: {warned[0].loosened[0].sentence}"
    return [brief(said, _NOTICE_CELLS) + (f" and {count(more)} more" if more else "")]


def _groups(evidence: Evidence, room: int) -> list[RenderableType]:
    ruled = [table for table in metric_tables(evidence) if table.claims]
    shown = ruled[:MOST_METRICS]
    if not shown:
        return []
    overall = [table.overall for table in shown]
    ranked = _ranked(shown)
    most = max(room, LEAST_GROUPS)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("before → after", no_wrap=True, overflow="ellipsis")
    for each in shown:
        table.add_column(Text(_heading(each)), justify="right", no_wrap=True)
    if any(overall):
        table.add_row(Text("overall", "bold"), *map(_cell, shown, overall))
    label = _LABEL_CELLS + (MOST_METRICS - len(shown)) * _METRIC_CELLS
    for group, lines in ranked[:most]:
        table.add_row(Text(shortened(group_name(group), label)), *map(_cell, shown, lines))
    for group, findings in _between(shown):
        table.add_row(Text(shortened(group_name(group), label)), *map(_gap, shown, findings))
    return [Text(""), table, *_left_out(ranked[most:], len(ruled) - len(shown)), Text("")]


def _heading(table: MetricTable) -> str:
    """The metric and its unit on two lines at most."""
    lines = wrap(metric_name(table) + table.quantity.caption, _METRIC_CELLS, max_lines=2, placeholder=" …")
    return "\n".join(shortened(line, _METRIC_CELLS) for line in lines)


def _ranked(tables: Sequence[MetricTable]) -> list[tuple[GroupKey, list[Line | None]]]:
    """Every group with its line in each table, the worst first."""
    lines = [{line.group: line for line in table.lines} for table in tables]
    groups = dict.fromkeys(group for by_group in lines for group in by_group)
    ranked = [(group, [by_group.get(group) for by_group in lines]) for group in groups]
    return sorted(ranked, key=lambda entry: min(line.severity for line in entry[1] if line))


def _between(tables: Sequence[MetricTable]) -> list[tuple[GroupKey, list[Finding | None]]]:
    """Every column that groups are compared by, with the worst finding of each table."""
    found = [{finding.group: finding for finding in sorted(table.between, key=_is_worse)} for table in tables]
    groups = dict.fromkeys(group for by_group in found for group in by_group)
    return [(group, [by_group.get(group) for by_group in found]) for group in groups]


def _is_worse(finding: Finding) -> int:
    return -SEVERITY[finding.outcome]


def _cell(table: MetricTable, line: Line | None) -> Text:
    if line is None:
        return Text("" if table.is_of_groups else "–", "dim")
    return Text(before_after(line, table.quantity) + _MARKS[line.outcome], _STYLES[line.outcome])


def _gap(table: MetricTable, finding: Finding | None) -> Text:
    if finding is None:
        return Text("")
    value = table.quantity.brief(finding.value)
    said = f"gap {value}" if isinstance(finding.value, Measured) and not table.is_of_groups else value
    return Text(f"{said}{_MARKS[finding.outcome]}", _STYLES[finding.outcome])


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


def _reasons(evidence: Evidence, most: int) -> list[Text]:
    reasons = evidence.verdict.reasons
    lines = [Text(_clauses(one_line(reason))) for reason in reasons[:most]]
    if len(reasons) > most:
        lines.append(Text(f"and {count(len(reasons) - most, 'more reason')} in the report", "dim"))
    return lines


def _clauses(reason: str) -> str:
    """As many clauses as there is room for, and always the last: what it would take to decide."""
    *clauses, last = reason.split("; ")
    for kept in range(len(clauses), 0, -1):
        said = "; ".join([*clauses[:kept], *(["…"] if kept < len(clauses) else []), last])
        if cell_len(said) <= _REASON_CELLS:
            return said
    return "; ".join([brief(clauses[0] if clauses else last, _REASON_CELLS - 3), *(["…"] if clauses else [])])
