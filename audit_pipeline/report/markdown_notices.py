"""What a reader must know before the figures, as Markdown: waivers, a loosened policy, and who answers for errors."""

from __future__ import annotations

from audit_pipeline.evidence import Evidence
from audit_pipeline.report.answers import who_answers
from audit_pipeline.report.markdown_text import sentence_text, table, text
from audit_pipeline.report.policy_changes import ChangeOfPolicy, changes_of_policy
from audit_pipeline.report.waivers import decided_again, waived_in_words, waiver_lines
from audit_pipeline.report.wording import count

MOST_CHANGES = 3
_MOST_LINES = 6


def notices(evidence: Evidence) -> list[str]:
    """What stands above the reasons: each a paragraph or a quotation."""
    answers = "; ".join(
        f"for a {error} answers **{sentence_text(who)}**" for error, who in who_answers(evidence.policy.document)
    )
    parts = [f"{answers[0].upper()}{answers[1:]}."]
    if waived := waived_in_words(evidence):
        used = [line for line in waiver_lines(evidence) if line.use == "used"]
        said = [f"**{waived}.**", *([f"{text(again)}."] if (again := decided_again(evidence)) else [])]
        lines = (f"- {text(line.about)}: {line.limit}, until {text(line.until)}. {text(line.reason)}" for line in used)
        parts.append(_quoted(" ".join(said), *lines))
    warned = [change for change in changes_of_policy(evidence.policy) if change.warning]
    parts += [_warning(change) for change in warned[:MOST_CHANGES]]
    if (hidden := len(warned) - MOST_CHANGES) > 0:
        parts.append(f"> And {count(hidden, 'earlier time')}: see Changes of the policy.")
    return parts


def changes_and_waivers(evidence: Evidence) -> list[str]:
    """The sections that hold every change of the policy and every waiver; none where there are none."""
    changes, waivers = changes_of_policy(evidence.policy), waiver_lines(evidence)
    parts = ["## Changes of the policy", *map(_change, changes)] if changes else []
    if waivers:
        rows = [
            (
                f"{text(line.about)}<br>`{line.sha256[:16]}`",
                line.limit,
                text(line.until),
                text(line.reason),
                "<br>".join(f"`{key}`" for key in line.approvers),
                f"{line.use}{f': {text(line.remark)}' if line.remark else ''}",
            )
            for line in waivers
        ]
        head = ["Rule and group", "Limit", "Until", "Reason", "Signed by keys", "Use"]
        parts += ["## Waivers", table(head, rows)]
    return parts


def _warning(change: ChangeOfPolicy) -> str:
    lines = [f"- {text(line.sentence)}" for line in change.loosened[:_MOST_LINES]]
    if (hidden := len(change.loosened) - _MOST_LINES) > 0:
        lines.append(f"- and {count(hidden)} more")
    return _quoted(f"**{text(change.warning or '')}:**", *lines)


def _change(change: ChangeOfPolicy) -> str:
    rows = [
        (
            text(line.what),
            text(line.groups) if line.groups else "",
            text(line.before),
            text(line.after),
            f"**{line.effect}**" if line.effect == "loosened" else line.effect,
        )
        for line in change.lines
    ]
    return f"### {text(change.title)}\n\n{table(['What', 'Groups', 'Before', 'After', 'Effect'], rows)}"


def _quoted(first: str, *lines: str) -> str:
    return "\n".join([f"> {first}", ">", *(f"> {line}" for line in lines)])
