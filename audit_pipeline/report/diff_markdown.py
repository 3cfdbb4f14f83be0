"""A diff as GitHub-flavoured Markdown, short enough for a comment on a pull request whatever the groups are called."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.differences import Diff, Shift, sort_out
from audit_pipeline.findings import Exemplars
from audit_pipeline.report import diff_wording as words
from audit_pipeline.report.markdown_text import change_text, group_text, p_texts, people, table, text, value_text
from audit_pipeline.report.quantity import quantity_of
from audit_pipeline.report.wording import count, size

MOST_BYTES = 60_000
"""GitHub refuses a comment of more than 65,536 characters."""
_MOST_LINES = (60, 20, 5, 0)
"""Lines a table may have; fewer where the document would be too long."""
_MOST_UNDECIDED = 10
_MOST_GROUPS = 5
_MOST_EDITS = 10


def render_diff_markdown(diff: Diff) -> str:
    """The diff; what it leaves out it counts. What came from outside is escaped, on one line."""
    documents = (_document(diff, most) for most in _MOST_LINES)
    return next((each for each in documents if len(each.encode()) <= MOST_BYTES), _document(diff, 0))


def _document(diff: Diff, most: int) -> str:
    parts = [f"## {words.word(diff)}: {text(words.run_name(diff.before))} → {text(words.run_name(diff.after))}"]
    parts.append(words.tally(diff))
    parts += _policy(diff)
    if diff.data.synthetic:
        parts.append("> **SYNTHETIC DATA.** The data set is generated and describes no real people.")
    undecided = [shift for shift in sort_out(diff.groups, diff.level).undecided if shift.worsening > 0]
    parts += _shifts(diff, "Surely worse", diff.worse, most)
    parts += _shifts(diff, "Surely better", diff.better, most)
    parts += _shifts(diff, "Worse, but not surely: the largest", undecided, min(most, _MOST_UNDECIDED))
    if diff.exemplars is not None:
        parts += _rows(diff, diff.exemplars)
    return "\n\n".join([*parts, _runs(diff), _notes(diff)]) + "\n"


def _policy(diff: Diff) -> list[str]:
    """What the second policy asks otherwise: a looser one is why a model that got worse may still pass."""
    lines = words.policy_lines(diff)
    shown = [f"- {_EFFECTS[line.effect]}{text(line.sentence)}" for line in lines[:_MOST_EDITS]]
    if hidden := len(lines) - len(shown):
        shown.append(f"- and {count(hidden, 'more change')}: see `audit diff --json`.")
    return ["### Policy", "\n".join(shown)] if shown else []


_EFFECTS = {"loosened": "**loosened**: ", "tightened": "tightened: ", "other": ""}


def _shifts(diff: Diff, title: str, shifts: Sequence[Shift], most: int) -> list[str]:
    if not shifts:
        return []
    head = ["Group", "Metric", "Rows", "People", "Before", "After", "Worse by", "p", "Adjusted p"]
    parts = [f"### {title}"]
    if shown := shifts[:most]:
        parts.append(table(head, (_line(diff, shift) for shift in shown), range(2, 9)))
    if hidden := len(shifts) - len(shown):
        parts.append(f"and {count(hidden, 'more comparison')}: see `audit diff --json`.")
    return parts


def _line(diff: Diff, shift: Shift) -> tuple[str, ...]:
    comparison = shift.comparison
    quantity = quantity_of(diff.data, comparison.metric)
    return (
        group_text(shift.group),
        text(words.metric_name(shift)),
        count(comparison.after.rows),
        people(comparison.after.subjects),
        value_text(comparison.before, quantity),
        value_text(comparison.after, quantity),
        change_text(comparison.worsening, quantity),
        *p_texts(comparison.change),
    )


def _rows(diff: Diff, found: Exemplars) -> list[str]:
    parts = ["### Rows", f"{words.changed_rows(found)}."]
    groups = words.standing_out(diff)
    lines = [f"- {text(words.how_much_more(group))}" for group in groups[:_MOST_GROUPS]]
    if hidden := len(groups) - len(lines):
        lines.append(f"- and {count(hidden, 'more group')}")
    return [*parts, *(["More than their share of them are in", "\n".join(lines)] if lines else [])]


def _runs(diff: Diff) -> str:
    rows = [
        (
            label,
            text(words.run_name(run)),
            text(run.created),
            run.outcome.value,
            f"{text(run.policy)} `{run.policy_sha256[:12]}`",
            f"{size(run.size_bytes)} `{run.model_sha256[:12]}`",
        )
        for label, run in (("Before", diff.before), ("After", diff.after))
    ]
    runs = table(["", "Run", "Made", "Verdict", "Policy", "Model"], rows)
    recipes = [f"- Recipe {label}: {text(recipe)}" for label, recipe in words.recipes(diff)]
    answers = f"Who answers, by the policy of the second: {text(words.who_answers(diff.after))}."
    return "\n\n".join(["### Runs", runs, *(["\n".join(recipes)] if recipes else []), answers])


def _notes(diff: Diff) -> str:
    tests = sorted({comparison.change.method for row in diff.groups for comparison in row.metrics if comparison.change})
    said = (
        f"{words.legend(diff)} The test asks whether chance alone could have done this; the interval "
        f"({words.confidence(diff)}) how large the mean over all rows of such people is. Worse is positive."
    )
    return f"<sub>{said} Data: {text(diff.data.name)} `{diff.data.sha256[:12]}`. Tests: {text('; '.join(tests))}.</sub>"
