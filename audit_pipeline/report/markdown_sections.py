"""Sections of the report as GitHub-flavoured Markdown."""

from __future__ import annotations

from audit_pipeline.measurement import GroupKey
from audit_pipeline.report.markdown_text import change_text, group_text, sentence_text, table, text, value_text
from audit_pipeline.report.quantity import SHARES
from audit_pipeline.report.sections import Cell, Section, Table


def section_text(section: Section, level: int = 3) -> str:
    """A section under a heading of that level; what a page folds is left out, and said to be."""
    lines = [f"{'#' * level} {text(section.title)}", *map(text, section.said)]
    if section.table is not None:
        lines += [text(section.table.caption), _table(section.table)]
    if section.listed:
        lines.append("\n".join(f"- {sentence_text(each)}" for each in section.listed))
    if section.more is not None:
        lines.append(f"All {len(section.more.rows)} lines stand in evidence.json and on the page.")
    return "\n\n".join(line for line in lines if line)


def _table(shown: Table) -> str:
    rows = [[_cell(cell, column in shown.differences) for column, cell in enumerate(row)] for row in shown.rows]
    return table(shown.head, rows, sorted(shown.numbers))


def _cell(cell: Cell, is_difference: bool) -> str:
    if isinstance(cell, GroupKey):
        return group_text(cell)
    if cell is None or isinstance(cell, str):
        return "–" if cell is None else text(cell)
    return change_text(cell, SHARES) if is_difference else value_text(cell)
