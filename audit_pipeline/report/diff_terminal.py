"""A diff on one screen: what got worse first, then what got better, then the largest changes that are not sure."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from audit_pipeline.differences import Diff, Shift, sort_out
from audit_pipeline.report import diff_wording as words
from audit_pipeline.report.wording import brief, count, group_name, shortened

MOST_WORSE = 10
MOST_BETTER = 4
MOST_UNDECIDED = 3
_GROUP_CELLS = 20
_METRIC_CELLS = 18
_RECIPE_CELLS = 70
_EDIT_CELLS = 48


def render_diff_terminal(diff: Diff) -> Group:
    """A summary that fits 80 columns and 30 lines; what it leaves out it counts.

    Returns:
        A renderable; the caller prints it. Text from outside enters as `Text`, never as markup.
    """
    style = "bold red" if diff.worse else "green" if diff.better else "bold"
    lines: list[RenderableType] = [
        Text.assemble((f" {words.word(diff)} ", f"{style} reverse"), " ", words.tally(diff)),
        *(
            Text.assemble((f"{label:<6} ", "bold"), f"{words.run_name(run)}: {words.about(run)}")
            for label, run in (("before", diff.before), ("after", diff.after))
        ),
    ]
    lines += [
        Text(f"recipe {label}: {shortened(recipe, _RECIPE_CELLS - len(label))}", "dim")
        for label, recipe in words.recipes(diff)
    ]
    loosened = [line for line in words.policy_lines(diff) if line.effect == "loosened"]
    if loosened:
        more = f" and {count(len(loosened) - 1)} more" if len(loosened) > 1 else ""
        lines.append(Text(f"policy loosened: {shortened(loosened[0].sentence, _EDIT_CELLS)}{more}", "bold red"))
    if diff.data.synthetic:
        lines.append(Text.assemble(("SYNTHETIC DATA", "bold yellow"), f" {brief(diff.data.name, 60)}: no real people"))
    return Group(*lines, *_shifts(diff), *_rows(diff), Text(words.legend(diff), "dim"))


def _shifts(diff: Diff) -> list[RenderableType]:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("group", no_wrap=True)
    table.add_column("metric", no_wrap=True)
    for head in ("before → after", "worse by", "adj. p"):
        table.add_column(head, justify="right", no_wrap=True)
    undecided = [shift for shift in sort_out(diff.groups, diff.level).undecided if shift.worsening > 0]
    for shifts, most, style, mark in (
        (diff.worse, MOST_WORSE, "bold red", "✗"),
        (diff.better, MOST_BETTER, "green", "✓"),
        (undecided, MOST_UNDECIDED, "dim", "?"),
    ):
        for shift in shifts[:most]:
            table.add_row(*_cells(diff, shift, mark), style=style)
    if not table.row_count:
        return [Text("")]
    return [Text(""), table, *_left_out(diff), Text("")]


def _cells(diff: Diff, shift: Shift, mark: str) -> tuple[Text, ...]:
    return (
        Text(shortened(group_name(shift.group), _GROUP_CELLS)),
        Text(shortened(words.metric_name(shift), _METRIC_CELLS)),
        Text(words.values(diff, shift)),
        Text(words.worsening(diff, shift)),
        Text(f"{words.adjusted(shift)} {mark}"),
    )


def _left_out(diff: Diff) -> list[Text]:
    parts = []
    if (hidden := len(diff.worse) - MOST_WORSE) > 0:
        parts.append(f"{count(hidden)} more got surely worse")
    if (hidden := len(diff.better) - MOST_BETTER) > 0:
        parts.append(f"{count(hidden)} more surely better")
    return [Text(f"and {', '.join(parts)}: see --format markdown or --json", "dim")] if parts else []


def _rows(diff: Diff) -> list[Text]:
    if diff.exemplars is None:
        return []
    lines = [Text(words.changed_rows(diff.exemplars))]
    if groups := words.standing_out(diff):
        more = f", and {count(len(groups) - 1, 'more group')}" if len(groups) > 1 else ""
        lines.append(Text(f"more than their share in {words.how_much_more(groups[0])}{more}"))
    return lines
