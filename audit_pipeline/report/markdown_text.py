"""Words, numbers and tables as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from audit_pipeline.measurement import GroupKey, Measured, Measurement
from audit_pipeline.report import wording
from audit_pipeline.report.wording import count, one_line

_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LEADING = re.compile(r"^(\d{0,9})([-+=#.)])(?=[-+=#\s]|$)")
_ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)


def text(value: str) -> str:
    """Text from outside as it shall be read: one line, nothing in it taken for Markdown, HTML, a link or a formula."""
    escaped = _SPECIAL.sub(r"\\\g<0>", one_line(value))
    escaped = _LEADING.sub(r"\1\\\2", escaped)
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ADDRESS.sub(lambda found: found[0].replace(":", "&#58;").replace(".", "&#46;"), escaped)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A GitHub-flavoured table; `numbers` are the columns set to the right. Cells are Markdown already."""
    rule = ["--:" if column in numbers else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def group_text(group: GroupKey) -> str:
    """A group's label."""
    return text(wording.group_name(group))


def people(subjects: int | None) -> str:
    """A number of people; a dash where none were named."""
    return "–" if subjects is None else count(subjects)


def share_text(measurement: Measurement | None) -> str:
    """A measured share with its interval, or why there is none."""
    if measurement is None:
        return "–"
    if not isinstance(measurement, Measured):
        return f"not measurable: {text(measurement.reason)}"
    return with_range(wording.proportion(measurement.estimate), wording.proportion_range(measurement.interval))


def difference_text(measurement: Measurement | None) -> str:
    """A measured difference with its interval, or why there is none."""
    if not isinstance(measurement, Measured):
        return share_text(measurement)
    return with_range(wording.difference(measurement.estimate), wording.difference_range(measurement.interval))


def with_range(value: str, interval: str) -> str:
    """A value with its interval in brackets."""
    return f"{value} ({interval})" if interval else value
