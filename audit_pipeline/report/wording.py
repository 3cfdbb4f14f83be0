"""How numbers and names are put into words: once, so that page, Markdown and terminal say the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TypeVar

from rich.cells import cell_len

from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement

_JOINERS = "\u200c\u200d"
"""Format characters that emoji and several scripts cannot be written without."""
_Value = TypeVar("_Value")
_PLURALS = {"person": "people", "entry": "entries"}


def one_line(text: str) -> str:
    """Text from outside on one line, without characters that would move, hide or reorder what stands beside it.

    White space of any kind becomes one space; every other control and format character (terminal escapes,
    bidirectional overrides) and what no document may hold becomes U+FFFD, so that names that differ by it still
    differ. A text of nothing but white space becomes `(blank)`, so that a row never loses its name.
    """
    return " ".join("".join("\N{REPLACEMENT CHARACTER}" if _is_hidden(c) else c for c in text).split()) or "(blank)"


def _is_hidden(character: str) -> bool:
    point = ord(character)
    if 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE:
        return True
    if character.isspace() or character in _JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def shortened(text: str, cells: int) -> str:
    """Text cut in its middle to a width in terminal cells, so that names with a common start stay apart."""
    if cell_len(text) <= cells:
        return text
    head, tail = text, text
    while cell_len(head) > (cells - 1) // 2:
        head = head[:-1]
    while cell_len(tail) > cells - 1 - cell_len(head):
        tail = tail[1:]
    return f"{head}…{tail}"


def group_name(group: GroupKey) -> str:
    """A group's label on one line."""
    return one_line(group.label)


def items(mapping: Mapping[str, _Value]) -> list[tuple[str, _Value]]:
    """A mapping in the order of its keys, as it comes back from evidence.json: order must not depend on who renders."""
    return sorted(mapping.items())


def count(value: float, noun: str = "") -> str:
    """A whole number with thousands apart, and its noun in the right number."""
    digits = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"
    if not noun:
        return digits
    return f"{digits} {noun if value == 1 else _PLURALS.get(noun, f'{noun}s')}"


def proportion(value: float) -> str:
    """A measured share, 0 to 1, with three decimals; never rounded up to all or down to none."""
    if 0 < value < 0.0005:
        return "<0.001"
    if 0.9995 <= value < 1:
        return ">0.999"
    return _minus(f"{value:.3f}")


def difference(value: float) -> str:
    """A measured difference of two shares, with its sign."""
    return _minus(f"{value:+.3f}")


def limit(value: float) -> str:
    """A limit as the policy set it, without rounding it away."""
    return _minus(f"{value:.10g}")


def percent(share: float) -> str:
    """How much of something is used up."""
    return f"{share * 100:.1f}%"


def size(size_bytes: int) -> str:
    """Bytes as KiB with one decimal; small ones as they are."""
    return f"{size_bytes / 1024:,.1f} KiB" if size_bytes >= 1024 else count(size_bytes, "byte")


def proportion_range(interval: Interval | None) -> str:
    """An interval of a share; empty where there is none."""
    return "" if interval is None else f"{_minus(f'{interval.low:.3f}')} to {_minus(f'{interval.high:.3f}')}"


def difference_range(interval: Interval | None) -> str:
    """An interval of a difference; empty where there is none."""
    return "" if interval is None else f"{difference(interval.low)} to {difference(interval.high)}"


def behind(measurement: Measurement) -> str:
    """The rows and people that stand behind a number."""
    rows = count(measurement.rows, "row")
    return rows if measurement.subjects is None else f"{rows} of {count(measurement.subjects, 'person')}"


def share(measurement: Measurement | None) -> str:
    """A measurement of a share in the fewest words: its estimate, or that there is none."""
    if measurement is None:
        return "–"
    return proportion(measurement.estimate) if isinstance(measurement, Measured) else "not measurable"


def _minus(digits: str) -> str:
    return digits.replace("-", "\N{MINUS SIGN}") if float(digits) else digits.lstrip("+-")
