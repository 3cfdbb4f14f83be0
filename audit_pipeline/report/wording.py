"""How names and plain numbers are put into words: once, so that page, Markdown and terminal say the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

from rich.cells import cell_len

from audit_pipeline.measurement import GroupKey, Measured, Measurement
from audit_pipeline.statistics.wording import p_value

_JOINERS = "\u200c\u200d"
"""Format characters that emoji and several scripts cannot be written without."""
NAME_CELLS = 48
"""Terminal cells that a column or a value of a group may take before it is shortened."""
SENTENCE_CELLS = 600
"""The same for a whole sentence."""
_MOST_ACCENTS = 5
"""Marks that scripts pile on one letter, and one more."""
_POINTS_PER_CELL = 4
"""Code points a cell may take: enough for accents and emoji, not for a text that hides behind marks without width."""
_Value = TypeVar("_Value")
_PLURALS = {"person": "people", "entry": "entries"}


def one_line(text: str) -> str:
    """Text from outside on one line, without characters that would move, hide or reorder what stands beside it.

    White space of any kind becomes one space; every other control and format character (terminal escapes,
    bidirectional overrides), what no document may hold, and a pile of accents that would cover the lines above become
    U+FFFD, so that names that differ by it still differ. A text of nothing but white space becomes `(blank)`, so that
    a row never loses its name.
    """
    harmless = text.isascii() and text.isprintable()  # most names are, and reports hold thousands
    return " ".join((text if harmless else "".join(_visible(text))).split()) or "(blank)"


def _visible(text: str) -> Iterator[str]:
    pile = 0
    for character in text:
        pile = pile + 1 if unicodedata.combining(character) else 0
        if pile <= _MOST_ACCENTS and not _is_hidden(character):
            yield character
        elif pile <= _MOST_ACCENTS + 1:
            yield "\N{REPLACEMENT CHARACTER}"


def _is_hidden(character: str) -> bool:
    point = ord(character)
    if 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE:
        return True
    if character.isspace() or character in _JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def shortened(text: str, cells: int) -> str:
    """Text cut in its middle to a width in terminal cells, so that names with a common start stay apart."""
    if len(text) <= _POINTS_PER_CELL * cells and cell_len(text) <= cells:
        return text
    head, tail = text[:cells], text[-cells:]
    while cell_len(head) > (cells - 1) // 2:
        head = head[:-1]
    while cell_len(tail) > cells - 1 - cell_len(head):
        tail = tail[1:]
    return f"{head}…{tail}"


def brief(text: str, cells: int) -> str:
    """Text from outside of any length on one line of a width, in time that does not grow with its length."""
    ends = _POINTS_PER_CELL * cells
    if len(text) > 2 * ends:
        text = f"{text[:ends]}…{text[-ends:]}"
    return shortened(one_line(text), cells)


@lru_cache(maxsize=4096)
def group_name(group: GroupKey) -> str:
    """A group's label on one line, each part of it short enough to leave the others in sight."""
    columns = [brief(column, NAME_CELLS) for column in group.by]
    if columns and not group.values:
        return f"between groups of {' × '.join(columns)}"
    values = (brief(value, NAME_CELLS) for value in group.values)
    return ", ".join(map("=".join, zip(columns, values, strict=True))) or "overall"


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
    return with_minus(f"{value:.3f}")


def limit(value: float) -> str:
    """A limit as the policy set it, without rounding it away."""
    return with_minus(f"{value:.10g}")


def percent(share: float) -> str:
    """A share of a whole."""
    return f"{share * 100:.1f}%"


def level(share: float) -> str:
    """A confidence level or a power as it was set, without rounding it away."""
    return f"{share * 100:.6g}%"


def p_values(raw: float, adjusted: float) -> str:
    """A test's p-values in a sentence, which does not break within them: `p = 0.012, adjusted 0.13`."""
    words = p_value(raw)
    said = f"p {words if words.startswith('<') else f'= {words}'}, adjusted {p_value(adjusted)}"
    return said.replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")


def size(size_bytes: int) -> str:
    """Bytes as KiB with one decimal; small ones as they are."""
    return f"{size_bytes / 1024:,.1f} KiB" if size_bytes >= 1024 else count(size_bytes, "byte")


def behind(measurement: Measurement) -> str:
    """The rows and people that stand behind a number."""
    rows = count(measurement.rows, "row")
    return rows if measurement.subjects is None else f"{rows} of {count(measurement.subjects, 'person')}"


def share(measurement: Measurement | None) -> str:
    """A measurement of a share in the fewest words: its estimate, or that there is none."""
    if measurement is None:
        return "–"
    return proportion(measurement.estimate) if isinstance(measurement, Measured) else "not measurable"


def with_minus(digits: str) -> str:
    """Digits with a typographic minus; what was rounded to nought has no sign."""
    return digits.replace("-", "\N{MINUS SIGN}") if float(digits.replace(",", "")) else digits.lstrip("+-")
