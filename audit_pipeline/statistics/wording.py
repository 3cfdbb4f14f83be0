"""A measured share, its interval and what stands behind it, in the words of every reason."""

from __future__ import annotations

from typing import Literal

from audit_pipeline.measurement import Measured, Scale

_BEYOND_REASON = 10_000
"""Nobody will ask so many more."""
UNDECIDED = "; the interval lies on both sides of that limit, so the data do not decide"


def number(value: float, scale: Scale = Scale.SHARE) -> str:
    """A share or difference with three decimals, anything else with three digits, as the tables of a report show it."""
    digits = f"{value:.3f}" if scale is Scale.SHARE else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return digits.replace("-", "\N{MINUS SIGN}")


def interval_of(value: Measured, scale: Scale = Scale.SHARE, *, turned: bool = False) -> str:
    """The interval in brackets; turned where the sentence speaks of the opposite of the value."""
    interval = value.interval
    if interval is None:
        return "(no interval)"
    low, high = (-interval.high, -interval.low) if turned else (interval.low, interval.high)
    return f"({interval.level * 100:g} % interval {number(low, scale)} to {number(high, scale)})"


def behind(value: Measured) -> str:
    """The rows and people that stand behind a number."""
    rows = f"{value.rows} row" if value.rows == 1 else f"{value.rows} rows"
    if value.subjects is None:
        return rows
    return f"{rows} of {value.subjects} {'person' if value.subjects == 1 else 'people'}"


def more_of(number: int, of: Literal["people", "rows"]) -> str:
    """How many more it takes; the number is itself an estimate and has two digits, and beyond all reason none."""
    one = {"people": "person", "rows": "row"}[of] if number == 1 else of
    if number > _BEYOND_REASON:
        return f"more than {_BEYOND_REASON:,} more {one}"
    return f"about {float(f'{number:.2g}'):,.0f} more {one}"


def p_value(p: float) -> str:
    """A p-value with two digits, never as zero, as a column headed p shows it."""
    return f"{p:.2g}" if p >= 0.001 else "<0.001"


def p_is(p: float) -> str:
    """The same in a sentence, with its sign."""
    return f"p = {p_value(p)}" if p >= 0.001 else "p < 0.001"
