"""A diff of two runs in words: what terminal and Markdown both say."""

from __future__ import annotations

from audit_pipeline.differences import Diff, DiffedRun, Shift
from audit_pipeline.findings import Exemplars, Overrepresentation
from audit_pipeline.measurement import Measured
from audit_pipeline.report.policy_changes import EditLine, edit_lines
from audit_pipeline.report.quantity import quantity_of
from audit_pipeline.report.wording import SENTENCE_CELLS, brief, count, group_name, level, limit, size
from audit_pipeline.statistics.wording import p_value

_NAME_CELLS = 60
_METRIC_CELLS = 80


def word(diff: Diff) -> str:
    """The answer in a word or three: `WORSE`, `WORSE AND BETTER`, `BETTER` or `NO SURE CHANGE`."""
    found = [word for word, shifts in (("WORSE", diff.worse), ("BETTER", diff.better)) if shifts]
    return " AND ".join(found) or "NO SURE CHANGE"


def tally(diff: Diff) -> str:
    """How many comparisons got surely worse and better."""
    if not diff.compared:
        return "No metric could be compared."
    return (
        f"Of {count(diff.compared, 'comparison')}, {count(len(diff.worse))} got surely worse and "
        f"{count(len(diff.better))} surely better; {count(diff.undecided)} show no sure change"
        f"{f', {count(diff.not_comparable)} could not be made' if diff.not_comparable else ''}."
    )


def legend(diff: Diff) -> str:
    """What sure means, and what it does not."""
    return (
        f"Sure is an adjusted p of at most {limit(round(1 - diff.level, 12))} over all {count(diff.compared)}, by one "
        "paired test of the same rows. No sure change is not the same as no change."
    )


def run_name(run: DiffedRun) -> str:
    """A run's name on one line."""
    return brief(run.id, _NAME_CELLS)


def about(run: DiffedRun) -> str:
    """A run's own verdict and its model."""
    policy = brief(run.policy, _NAME_CELLS)
    return f"{run.outcome.value} under {policy}, model {run.model_sha256[:12]} of {size(run.size_bytes)}"


def recipes(diff: Diff) -> tuple[tuple[str, str], ...]:
    """How either model was compressed, where that is not the same: which run, and its steps in words."""
    if diff.before.recipe == diff.after.recipe:
        return ()
    return (("before", _recipe(diff.before)), ("after", _recipe(diff.after)))


def _recipe(run: DiffedRun) -> str:
    steps = brief("; ".join(run.recipe), SENTENCE_CELLS) if run.recipe else "came finished"
    return steps if run.trials is None else f"found in {count(run.trials, 'trial')}: {steps}"


def policy_lines(diff: Diff) -> tuple[EditLine, ...]:
    """What the second policy asks otherwise; what was loosened stands first."""
    return edit_lines(diff.policy_edits)


def who_answers(run: DiffedRun) -> str:
    """Who answers for which error, by a run's policy."""
    said = (f"{key.replace('_', ' ')}: {brief(who, _NAME_CELLS)}" for key, who in sorted(run.responsible.items()))
    return "; ".join(said) or "not answered in the policy"


def metric_name(shift: Shift) -> str:
    """The metric: `recall of V`."""
    return brief(shift.comparison.metric.label, _METRIC_CELLS)


def values(diff: Diff, shift: Shift) -> str:
    """Before and after: `0.940 → 0.660`."""
    quantity = quantity_of(diff.data, shift.comparison.metric)
    return f"{quantity.brief(shift.comparison.before)} → {quantity.brief(shift.comparison.after)}"


def worsening(diff: Diff, shift: Shift) -> str:
    """How much worse it is, with its sign: positive is harm."""
    return quantity_of(diff.data, shift.comparison.metric).change(shift.worsening)


def adjusted(shift: Shift) -> str:
    """The adjusted p-value."""
    return "–" if shift.comparison.change is None else p_value(shift.comparison.change.adjusted_p)


def changed_rows(found: Exemplars) -> str:
    """How many rows changed class from one run to the other."""
    other = found.changed - found.lost - found.gained
    said = (
        f"{count(found.changed)} of {count(found.rows, 'row')} changed class: {count(found.lost)} lost (right before, "
        f"wrong now), {count(found.gained)} gained"
    )
    return f"{said}, {count(other)} wrong both times" if other else said


def standing_out(diff: Diff) -> tuple[Overrepresentation, ...]:
    """Groups in which changed rows are surely more than their share."""
    groups = diff.exemplars.groups if diff.exemplars else ()
    return tuple(group for group in groups if group.adjusted_p <= 1 - diff.level)


def how_much_more(group: Overrepresentation) -> str:
    """A group that stands out, and how often its rows changed against all others."""
    shares = [f"{m.estimate * 100:.1f}%" if isinstance(m, Measured) else "–" for m in (group.inside, group.outside)]
    return f"{group_name(group.group)}: {shares[0]} of its rows, {shares[1]} of all others"


def confidence(diff: Diff) -> str:
    """The level of all intervals."""
    return level(diff.level)
