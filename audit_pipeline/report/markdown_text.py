"""Words, numbers and tables as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from audit_pipeline.findings import Breach, Change, Overrepresentation
from audit_pipeline.measurement import GroupKey, Measured, Measurement, NotMeasurable
from audit_pipeline.report import wording
from audit_pipeline.report.quantity import SHARES, Quantity
from audit_pipeline.report.wording import count, one_line
from audit_pipeline.statistics.wording import p_value

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


def value_text(measurement: Measurement | None, quantity: Quantity = SHARES) -> str:
    """A measured value with its interval, or why there is none."""
    if not isinstance(measurement, Measured):
        return _missing(measurement)
    return with_range(quantity.value(measurement.estimate), quantity.range(measurement.interval))


def change_text(measurement: Measurement | None, quantity: Quantity) -> str:
    """A measured difference with its interval, or why there is none."""
    if not isinstance(measurement, Measured):
        return _missing(measurement)
    return with_range(quantity.change(measurement.estimate), quantity.change_range(measurement.interval))


def p_texts(test: Change | Breach | Overrepresentation | None) -> tuple[str, str]:
    """A test's p-values, raw and adjusted; dashes where nothing was tested."""
    return ("–", "–") if test is None else (text(p_value(test.p)), text(p_value(test.adjusted_p)))


def sentence_text(sentence: str) -> str:
    """A sentence that holds names from outside, of any length."""
    return text(wording.brief(sentence, wording.SENTENCE_CELLS))


def _missing(measurement: NotMeasurable | None) -> str:
    return "–" if measurement is None else f"not measurable: {sentence_text(measurement.reason)}"


def with_range(value: str, interval: str) -> str:
    """A value with its interval in brackets."""
    return f"{value} ({interval})" if interval else value
