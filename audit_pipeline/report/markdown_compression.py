"""How the model was compressed, and the search that found the recipe, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.evidence import DataPart, Evidence, SearchPart, TrialPart
from audit_pipeline.report import recipe, search
from audit_pipeline.report.markdown_text import table, text
from audit_pipeline.report.wording import count, size

_MOST_TRIALS = 60
"""Trials of a table; evidence.json and the page hold all."""


def compression_section(evidence: Evidence) -> str:
    """Every step of the recipe, and the search where there was one."""
    candidate = evidence.candidate
    lines = ["## How the model was compressed", *_steps(recipe.step_lines(evidence))]
    lines.append(
        f"The model file went from {size(evidence.source.size_bytes)} ({text(evidence.source.file)}) to "
        f"{size(candidate.size_bytes)} on the device, which stores it as it is; zipped it takes "
        f"{size(candidate.zipped_bytes)}.{f' Seed {candidate.seed}.' if candidate.steps else ''}"
    )
    return "\n\n".join([*lines, *(_search(candidate.search, evidence.data) if candidate.search else [])])


def _steps(steps: Sequence[recipe.StepLine]) -> list[str]:
    if not steps:
        return ["The model came finished and was not compressed again."]
    meaning = [recipe.MEANING] if any(step.left for step in steps) else []
    return [*meaning, "\n".join(_step(number, step) for number, step in enumerate(steps, 1))]


def _step(number: int, step: recipe.StepLine) -> str:
    settings = f": {text(step.settings)}" if step.settings else ""
    left = [text(step.left)] if step.left else []
    return "; ".join([f"{number}. **{text(step.technique)}**{settings}", *left, *map(text, step.notes)])


def _search(found: SearchPart, data: DataPart) -> list[str]:
    lines = [
        "### The search that found this recipe",
        f"{text(search.summarise(found, data))} **{search.verdict(found)}**",
        f"Chosen by: {text(search.chosen_by(found))} {search.NOT_LOOKED_AT}",
    ]
    if found.rounds:
        lines.append("\n".join(f"{number}. {text(words)}" for number, words in enumerate(search.rounds(found), 1)))
    lines.append(text(search.meaning(data)))
    lines.append("Trials of the last round and of the front, the smallest first:")
    lines += _trials(search.finalists(found), data)
    if others := search.others(found):
        lines += ["Trials that ended earlier, those that came furthest first:", *_trials(others, data)]
    return lines


def _trials(trials: Sequence[TrialPart], data: DataPart) -> list[str]:
    head = ["Trial", "Recipe", "Flash", "RAM, MACs", "Worst group's loss", "In", "Fairness rules", "What became of it"]
    rows = (_line(search.trial_line(trial, data)) for trial in trials[:_MOST_TRIALS])
    hidden = len(trials) - _MOST_TRIALS
    return [
        table(head, rows, (0, 2, 4)),
        *([f"and {count(hidden, 'more trial')} in evidence.json"] if hidden > 0 else []),
    ]


def _line(line: search.TrialLine) -> tuple[str, ...]:
    lifted = f"; int16x8: {text(line.lifted)}" if line.lifted else ""
    return (
        line.number,
        text(line.label) + lifted,
        line.flash,
        ", ".join(line.device) or "–",
        line.loss,
        text(line.group) if line.group else "–",
        line.rules,
        f"**{line.mark}**: {text(line.reason)}" if line.mark else text(line.reason),
    )
