"""The recipe and the search that found it, as lines of the terminal summary."""

from __future__ import annotations

from rich.cells import cell_len

from audit_pipeline.evidence import DataPart, Evidence, SearchPart
from audit_pipeline.report import search
from audit_pipeline.report.recipe import StepLine, step_lines
from audit_pipeline.report.wording import count, shortened

MOST_STEPS = 4
_LINE_CELLS = 69
"""The second column of an 80 column screen."""


def recipe_lines(evidence: Evidence) -> list[str]:
    """One line a step, as many as there is room for; the last one counts the rest."""
    steps = [_step(step) for step in step_lines(evidence)]
    shown = steps if len(steps) <= MOST_STEPS else steps[: MOST_STEPS - 1]
    hidden = len(steps) - len(shown)
    more = [f"and {count(hidden, 'more step')} in the report"] if hidden else []
    return [shortened(line, _LINE_CELLS) for line in [*shown, *more]]


def _step(step: StepLine) -> str:
    """As many clauses as there is room for."""
    for kept in range(len(step.clauses), 0, -1):
        said = ", ".join([*step.clauses[:kept], *(["…"] if kept < len(step.clauses) else [])])
        if cell_len(f"{step.technique}: {said}") <= _LINE_CELLS:
            return f"{step.technique}: {said}"
    return step.technique


def search_lines(found: SearchPart, data: DataPart) -> tuple[str, str]:
    """What was tried, whether the rules hold on the rows chosen by, and what plain int8 is; then what was chosen."""
    tried = f"{count(len(found.trials), 'trial')}{'' if found.complete else ', out of time'}"
    rules = f"rules {'kept' if found.keeps_rules else 'broken'} on {count(found.selection_rows, 'row')}"
    plain = search.plain_int8(found)
    beside = "" if plain is None else f"; plain int8: {search.in_short(plain, data, with_group=False)}"
    chosen = next((trial for trial in found.trials if trial.chosen), None)
    said = "none chosen" if chosen is None else f"chosen: {search.in_short(chosen, data)}"
    return f"{tried}, {rules}{beside}", shortened(said, _LINE_CELLS)
