"""A measured share, its interval and what stands behind it, in the words of every reason."""

from __future__ import annotations

from audit_pipeline.measurement import Measured

UNDECIDED = "; the interval lies on both sides of that limit, so the data do not decide"


def number(value: float) -> str:
    """A share or difference with three decimals, as the tables of a report show it."""
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def interval_of(value: Measured, *, turned: bool = False) -> str:
    """The interval in brackets; turned where the sentence speaks of the opposite of the value."""
    interval = value.interval
    if interval is None:
        return "(no interval)"
    low, high = (-interval.high, -interval.low) if turned else (interval.low, interval.high)
    return f"({interval.level * 100:g} % interval {number(low)} to {number(high)})"


def behind(value: Measured) -> str:
    """The rows and people that stand behind a number."""
    rows = f"{value.rows} row" if value.rows == 1 else f"{value.rows} rows"
    if value.subjects is None:
        return rows
    return f"{rows} of {value.subjects} {'person' if value.subjects == 1 else 'people'}"


def p_value(p: float) -> str:
    """A p-value with two digits, never as zero."""
    return f"{p:.2g}" if p >= 0.001 else "<0.001"
