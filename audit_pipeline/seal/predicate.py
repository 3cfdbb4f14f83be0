"""The words that people's statements are made of: text, a moment in UTC, and models that take nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from audit_pipeline.seal.strict_json import shown


def moment(at: str) -> datetime:
    """A moment from its one form here: `2026-05-04T12:00:00Z`.

    Raises:
        ValueError: it has another form, or there is no such day or time.
    """
    return datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _real_moment(at: str) -> str:
    moment(at)
    return at


def _one_line(text: str) -> str:
    # It is printed to terminals and pages; a line break or a change of direction could fake another line.
    if not text.isprintable():
        raise ValueError("one line of printable characters, no control or formatting characters")
    return text


Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_one_line)]
Label = Annotated[str, Field(min_length=1, max_length=4000)]
"""What is called by a name that comes from elsewhere, such as a group by its values in the data."""
Utc = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"), AfterValidator(_real_moment)
]


class Predicate(BaseModel):
    """Base of what a statement says: strict, frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def first_fault(error: ValidationError) -> str:
    """The first thing that is wrong with a predicate, on one line."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{shown('.'.join(map(str, first['loc'])))}: {first['msg'].removeprefix('Value error, ')}"
