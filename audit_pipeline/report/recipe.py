"""The recipe as it was carried out, step by step: what each was told to do, and what it left of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit_pipeline.evidence import Evidence, StepPart
from audit_pipeline.report.techniques import settings_in_words
from audit_pipeline.report.wording import NAME_CELLS, SENTENCE_CELLS, brief, count, percent, size

MEANING = (
    "Flash holds every parameter, zero or not: fewer parameters, or fewer bits for each, shrink it. Zeros and repeated "
    "values shrink only the zipped file."
)
"""What the numbers behind the steps mean for flash."""


@dataclass(frozen=True)
class StepLine:
    """One step in words; texts from outside are on one line, and not escaped."""

    technique: str
    clauses: tuple[str, ...]
    """What it was told to do, what matters most first."""
    left: str
    """What it left of the model; empty where nothing was counted."""
    notes: tuple[str, ...]
    """What was done, what could not be, and what that means for flash."""

    @property
    def settings(self) -> str:
        """What it was told to do; empty where nothing was."""
        return brief(", ".join(self.clauses), SENTENCE_CELLS) if self.clauses else ""

    @property
    def words(self) -> str:
        """The technique and what it was told to do."""
        return f"{self.technique}: {self.settings}" if self.clauses else self.technique


def step_lines(evidence: Evidence) -> tuple[StepLine, ...]:
    """Every step of a run, as `lines_of`."""
    return lines_of(evidence.candidate.steps, evidence.source.parameters)


def lines_of(steps: Sequence[StepPart], parameters: int) -> tuple[StepLine, ...]:
    """Every step in the order they were carried out; sizes are held against the step before.

    Args:
        steps: as they were carried out.
        parameters: of the source, which the first step is held against.
    """
    lines = []
    for step in steps:
        lines.append(
            StepLine(
                technique=brief(step.technique, NAME_CELLS),
                clauses=settings_in_words(step.technique, step.settings),
                left="; ".join(_left(step, parameters)),
                notes=tuple(brief(note, SENTENCE_CELLS) for note in step.notes),
            )
        )
        parameters = step.parameters or parameters
    return tuple(lines)


def _left(step: StepPart, before: int) -> Iterator[str]:
    if step.parameters is not None:
        yield count(step.parameters, "parameter") + _change(step.parameters, before)
    if step.parameters and step.zeros:
        yield f"{count(step.zeros)} of them zero ({percent(step.zeros / step.parameters)})"
    if step.size_bytes is not None:
        zipped = "" if step.zipped_bytes is None else f", {size(step.zipped_bytes)} zipped"
        yield f".tflite of {size(step.size_bytes)}{zipped}"


def _change(now: int, before: int) -> str:
    if now == before or not before:
        return ""
    return f" ({percent(abs(now - before) / before)} {'fewer' if now < before else 'more'})"
