"""The data set in words: what its task is, and what its splits hold."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from audit_pipeline.evidence import DataPart, Evidence
from audit_pipeline.report.wording import NAME_CELLS, SENTENCE_CELLS, brief, count, items, one_line

MOST_VALUES = 24
"""Values of a column, or classes, whose rows a report counts one by one."""

_TASKS = {
    "classification": "classification: one of several classes",
    "anomaly": "anomaly detection: how odd a row is, and whether that is odd enough for an alarm",
    "regression": "regression: a number",
}
_SCORES = {
    "output": "the model's output",
    "reconstruction_error": "the error with which an autoencoder gives its input back",
}


def facts(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """What the data set says of itself, as terms and what stands for them; what does not apply is left out.

    Last stands what the tables leave out: pairs of columns with so many groups that a run does not show them unasked.
    """
    data = evidence.data
    source = "synthetic: generated, no real people" if data.synthetic else "declared as recorded from people"
    said = [
        ("Source and licence", one_line(data.source)),
        ("Lawful basis", brief(data.lawful_basis, SENTENCE_CELLS) if data.lawful_basis else "not named"),
        ("May be used until", data.retention_until or "no last day was named"),
        ("Kind", source),
        ("Task", _TASKS[data.task]),
    ]
    if data.task == "regression":
        said.append(("Unit of the labels", one_line(data.unit) if data.unit else "not named"))
    if data.task == "anomaly":
        said.append(("Score", _SCORES[data.score]))
    if data.classes:
        said += [("Classes", _names(data.classes)), ("Classes that raise an alarm", _names(data.alarm_classes))]
    if data.threshold is not None:
        said.append(("Threshold", f"a score above {data.threshold:.6g} is {_second(data)}"))
    if data.row_seconds is not None:
        said.append(("Time that a row covers", f"{data.row_seconds:.6g} s"))
    if data.inputs:
        shapes = (f"{brief(each.name, NAME_CELLS)} {' × '.join(map(str, each.shape))}" for each in data.inputs)
        said.append(("A row holds", "; ".join(shapes)))
    if data.class_weights:
        weights = (f"{brief(name, NAME_CELLS)} {weight:.6g}" for name, weight in items(data.class_weights))
        said.append(("What a row of a class counts in training", ", ".join(weights)))
    if hidden := _hidden(evidence):
        said.append(("Too many groups to show unless a rule asks", "; ".join(hidden)))
    return tuple(said)


def _hidden(evidence: Evidence) -> list[str]:
    """Pairs of columns that no table cuts the population by."""
    shown = {frozenset(row.group.by) for row in evidence.groups}
    columns = sorted({column for split in evidence.data.splits for column in split.groups})
    pairs = combinations(columns, 2) if shown else ()
    return [f"{one_line(first)} × {one_line(second)}" for first, second in pairs if {first, second} not in shown]


def _second(data: DataPart) -> str:
    return brief(data.classes[1], NAME_CELLS) if len(data.classes) > 1 else "the second class"


def _names(classes: tuple[str, ...]) -> str:
    shown = [brief(name, NAME_CELLS) for name in classes[:MOST_VALUES]]
    return ", ".join([*shown, *_rest(len(classes))]) or "none"


def counted(rows: Mapping[str, int]) -> tuple[list[tuple[str, str]], str]:
    """Names with their rows, and how many names were left out; empty where none were."""
    shown = [(brief(name, NAME_CELLS), count(number)) for name, number in items(rows)[:MOST_VALUES]]
    return shown, "".join(_rest(len(rows)))


def _rest(number: int) -> list[str]:
    return [f"and {count(number - MOST_VALUES)} more"] if number > MOST_VALUES else []
