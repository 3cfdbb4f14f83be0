"""How a manifest says what a row is made of: an array, a pattern or a list of columns, for one input or several."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _form(given: Any) -> str | None:
    forms: dict[type, str] = {str: "name", list: "list", tuple: "list", dict: "inputs"}
    return forms.get(type(given))


_FEATURES = "must be an array's name, a pattern of column names, or a list of columns"
_Columns = Annotated[tuple[Column, ...], Field(min_length=1)]

InputFeatures = Annotated[
    Annotated[Column, Tag("name")] | Annotated[_Columns, Tag("list")],
    Discriminator(_form, custom_error_type="features", custom_error_message=_FEATURES),
]
"""What one input of a model is made of."""

Features = Annotated[
    Annotated[Column, Tag("name")]
    | Annotated[_Columns, Tag("list")]
    | Annotated[Annotated[dict[Column, InputFeatures], Field(min_length=2)], Tag("inputs")],
    Discriminator(
        _form,
        custom_error_type="features",
        custom_error_message=f"{_FEATURES}; or one of these for each of several inputs",
    ),
]
"""What a row is made of: of one input, or of each of several by its name, in the model's order."""

_Sizes = Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1, max_length=8)]

Shape = Annotated[
    Annotated[_Sizes, Tag("list")] | Annotated[Annotated[dict[Column, _Sizes], Field(min_length=1)], Tag("inputs")],
    Discriminator(
        _form,
        custom_error_type="shape",
        custom_error_message="must be a list of sizes, or one for each of several inputs",
    ),
]
"""What each row is reshaped to: that of one input, or of several by their names."""
