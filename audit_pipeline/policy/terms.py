"""Terms that several sections of a policy share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Proportion = Annotated[float, Field(ge=0, le=1)]
OpenProportion = Annotated[float, Field(gt=0, lt=1)]
GroupSpec = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][\w-]*(\*[A-Za-z_][\w-]*)*$"),
    Field(examples=["sex", "sex*age_band", "overall"]),
]

OVERALL = "overall"
"""The group spec that stands for everybody."""


def given(key: str, kind: str) -> dict[str, Any]:
    """JSON Schema of an object that has this key, and not as null."""
    return {"required": [key], "properties": {key: {"type": kind}}}
