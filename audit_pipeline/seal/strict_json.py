"""JSON that is to be believed: no duplicate keys, no NaN, nothing that two readers could read in two ways."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from audit_pipeline.errors import RejectedError

LARGEST_BYTES = 1 << 23
"""More than the findings of any model take, and no more than is read within a second."""

_SHOWN_CHARACTERS = 80


def strict_json(data: bytes, *, code: str, where: str) -> Any:
    """The value of a UTF-8 JSON text.

    Raises:
        RejectedError: with `code`, where the bytes are not UTF-8, not JSON, nested too deeply, too many, or hold a key
            twice, a lone surrogate, a NaN or an infinity.
    """
    if len(data) > LARGEST_BYTES:
        raise RejectedError(code, f"not strict JSON: larger than {LARGEST_BYTES >> 20} MiB", where=where)
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        # A lone surrogate and 1e999 pass json.loads, and could not be written again.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RejectedError(code, f"not strict JSON: {what}", where=where) from None
    return value


def shown(value: Any) -> str:
    """A value as a message may show it: on one line, escaped, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {shown(key)} stands twice")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
