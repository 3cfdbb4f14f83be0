"""A search in words: what it chose by, what it chose, and what became of every trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit_pipeline.evidence import DataPart, SearchPart, TrialPart
from audit_pipeline.measurement import Scale
from audit_pipeline.report.quantity import SHARES, Quantity
from audit_pipeline.report.techniques import names
from audit_pipeline.report.wording import SENTENCE_CELLS, brief, count, group_name, size

_LABEL_CELLS = 100
NOT_LOOKED_AT = "The evaluation split was not looked at: it judges the chosen one alone."


@dataclass(frozen=True)
class TrialLine:
    """One trial in words; texts from outside are on one line, and not escaped."""

    number: str
    label: str
    lifted: str
    """Operators lifted to int16x8, by name; empty where none was."""
    flash: str
    device: tuple[str, ...]
    """RAM and multiply-accumulates, where they are known."""
    loss: str
    """Loss of the group that lost most, with its sign: positive is harm."""
    group: str
    """That group; empty where it is unknown."""
    rules: str
    """Whether it keeps the policy's fairness rules on the rows chosen by, and by how much."""
    mark: str
    """`chosen`, `on the front`, both or neither."""
    reason: str


_LOST = {
    "classification": "loss of balanced accuracy",
    "anomaly": "loss of AUC",
    "regression": "rise of the mean absolute error",
}


def what_is_lost(data: DataPart) -> str:
    """What trials are compared by, besides their size."""
    return _LOST[data.task]


def loss_quantity(data: DataPart) -> Quantity:
    """How that loss is written."""
    return Quantity(Scale.LABEL, brief(data.unit or "", 20)) if data.task == "regression" else SHARES


def meaning(data: DataPart) -> str:
    """What the tables of trials show."""
    return (
        f"Worst group's loss: {what_is_lost(data)}{loss_quantity(data).caption} against the float model, in the group "
        "that lost most; positive is harm. Rules: a rule that the float model itself breaks counts as kept where the "
        "device breaks it no further. Both on the rows chosen by. No trial on the front is beaten by another in both "
        "flash and that loss."
    )


def is_plain_int8(recipe: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether a recipe does nothing but quantize to int8 after training: what others are measured against."""
    if len(recipe) != 1 or set(recipe[0]) != {"quantize"}:
        return False
    settings = recipe[0]["quantize"]
    if not isinstance(settings, Mapping):
        return settings is None
    return settings.get("scheme", "int8") == "int8" and settings.get("aware") is None


def is_kept(trial: TrialPart) -> bool | None:
    """Whether a trial keeps every fairness rule on the rows chosen by, or breaks none further than the float model.

    None where that was not measured.
    """
    return None if trial.violation is None else trial.violation <= 0


def finalists(search: SearchPart) -> tuple[TrialPart, ...]:
    """Trials of the last round of training, those with operators lifted after it, and the front; the smallest first."""
    last = _last_round(search)
    shown = (trial for trial in search.trials if trial.round >= last or trial.on_front or trial.chosen)
    return tuple(sorted(shown, key=_smallest_first))


def others(search: SearchPart) -> tuple[TrialPart, ...]:
    """All other trials: those that came furthest first, then the smallest."""
    shown = {trial.number for trial in finalists(search)}
    rest = (trial for trial in search.trials if trial.number not in shown)
    return tuple(sorted(rest, key=lambda trial: (-trial.round, *_smallest_first(trial))))


def _last_round(search: SearchPart) -> int:
    """The last one before operators are lifted."""
    return max((trial.round for trial in search.trials if not trial.lifted), default=0)


def _smallest_first(trial: TrialPart) -> tuple[bool, int, int]:
    return trial.size_bytes is None, trial.size_bytes or 0, trial.number


def summarise(search: SearchPart, data: DataPart) -> str:
    """What was tried, and what came of it."""
    tried = f"{count(len(search.trials), 'recipe')} were tried in {count(len(search.rounds), 'round')}"
    tried = tried.replace("1 recipe were", "1 recipe was", 1) if len(search.trials) == 1 else tried
    ended = "" if search.complete else ", until the time limit ended the search: with more time it may find better"
    chosen = next((trial for trial in search.trials if trial.chosen), None)
    if chosen is None:
        return f"{tried}{ended}. None was chosen."
    return f"{tried}{ended}. Trial {chosen.number} was chosen: {in_short(chosen, data)}. {_against_plain(search, data)}"


def in_short(trial: TrialPart, data: DataPart, *, with_group: bool = True) -> str:
    """A trial's size, and what its worst group loses: `12,390 bytes, worst loss +0.021 in sex=F`."""
    flash = "no size" if trial.size_bytes is None else count(trial.size_bytes, "byte")
    if trial.worst_drop is None:
        return f"{flash}, not measured"
    quantity = loss_quantity(data)
    where = f" in {group_name(trial.worst_group)}" if trial.worst_group and with_group else ""
    return (
        f"{flash}, {'worst loss ' if with_group else ''}{quantity.with_unit(quantity.change(trial.worst_drop))}{where}"
    )


def plain_int8(search: SearchPart) -> TrialPart | None:
    """The trial that does nothing but quantize, where one does."""
    return next((trial for trial in search.trials if is_plain_int8(trial.recipe)), None)


def _against_plain(search: SearchPart, data: DataPart) -> str:
    plain = plain_int8(search)
    if plain is None:
        return ""
    if plain.chosen:
        return "It is the source, quantized to int8 and nothing else."
    return f"The source quantized to int8 and nothing else is trial {plain.number}: {in_short(plain, data)}."


def verdict(search: SearchPart) -> str:
    """Whether what was chosen keeps the rules where it was chosen; not what the evaluation split says."""
    if search.keeps_rules:
        return "It keeps every fairness rule of the policy on the rows it was chosen by."
    if any(is_kept(trial) for trial in search.trials if trial.chosen):
        return "On the rows it was chosen by it breaks a fairness rule of the policy, no further than the float model."
    if any(is_kept(trial) for trial in search.trials):
        return "It does not keep every fairness rule of the policy on the rows it was chosen by."
    return "No trial keeps every fairness rule of the policy on the rows they were chosen by."


def chosen_by(search: SearchPart) -> str:
    """The rows and people it chose by, and how often candidates were run over them."""
    people = "" if search.selection_subjects is None else f" of {count(search.selection_subjects, 'person')}"
    rows = f"{count(search.selection_rows, 'row')}{people}"
    said = brief(search.chosen_by, SENTENCE_CELLS)
    together = "" if rows in said else f", together {rows}"
    return f"{said}{together}. Candidates were run over them {count(search.evaluation_passes, 'time')}."


def rounds(search: SearchPart) -> tuple[str, ...]:
    """What each round gave and asked."""
    return tuple(brief(each, SENTENCE_CELLS) for each in search.rounds)


def trial_line(trial: TrialPart, data: DataPart) -> TrialLine:
    """A trial as a line of a table."""
    marks = [word for word, holds in (("chosen", trial.chosen), ("on the front", trial.on_front)) if holds]
    return TrialLine(
        number=str(trial.number),
        label=brief(trial.label, _LABEL_CELLS),
        lifted=names(trial.lifted),
        flash="–" if trial.size_bytes is None else count(trial.size_bytes, "byte"),
        device=tuple(_device(trial)),
        loss="–" if trial.worst_drop is None else loss_quantity(data).change(trial.worst_drop),
        group="" if trial.worst_group is None else group_name(trial.worst_group),
        rules=_rules(trial),
        mark=", ".join(marks),
        reason=brief(trial.reason, SENTENCE_CELLS),
    )


def _device(trial: TrialPart) -> list[str]:
    arena = [] if trial.arena_bytes is None else [f"RAM {size(trial.arena_bytes)}"]
    return arena if trial.macs is None else [*arena, f"{trial.macs / 1e6:,.2f} M MACs"]


def _rules(trial: TrialPart) -> str:
    if trial.violation is None:
        return "–"
    by = f"{abs(trial.violation):.3f}"
    return f"kept, {by} to spare" if is_kept(trial) else f"broken by {by}"
