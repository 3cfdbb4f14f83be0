"""How long data may be kept: a day that the manifest names, after which nothing is done with them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from audit_pipeline.errors import InputError
from audit_pipeline.strict_yaml import Strict


def _real_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None
    return text


Day = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"),
    AfterValidator(_real_day),
    Field(examples=["2030-12-31"]),
]


class Retention(Strict):
    """How long the data may be kept."""

    until: Day = Field(description="the last day, UTC, on which anything may be done with them")


def require_kept(retention: Retention | None, now: str, *, where: str) -> None:
    """Refuse data whose last day has passed.

    Args:
        retention: as the manifest has it; None where it names none.
        now: the time, UTC, ISO 8601.
        where: the day's place in the manifest.

    Raises:
        InputError: `data.retention-passed`.
    """
    today = now.partition("T")[0]
    if retention is not None and today > retention.until:
        raise InputError(
            "data.retention-passed",
            f"the data may be used until {retention.until}, and it is {today}",
            where=where,
            hint="delete the data as was promised; only whoever may extend the retention gives a later day",
        )
