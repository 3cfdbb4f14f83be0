"""What a plain scalar means: the core schema of YAML 1.2 (§10.3.2).

ruamel.yaml's own resolver still reads `2001-01-01` as a date and `1_000` as a number, as YAML 1.1 did.
"""

from __future__ import annotations

import re

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = re.compile(r"\.nan|\.NaN|\.NAN")

LONGEST_NUMBER = 100
"""Characters; Python refuses to convert far longer ones (CVE-2020-10735)."""

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar: null, a truth value, a number, or else the text itself.

    Raises:
        ValueError: a number too long to be meant.
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _INFINITY.fullmatch(text) or _NAN.fullmatch(text):
        return float(text.replace(".", "", 1))
    return _number(text)


def _number(text: str) -> Scalar:
    whole = _DECIMAL.fullmatch(text) or _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    if not whole and not _FLOAT.fullmatch(text):
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters")
    if not whole:
        return float(text)
    return int(text) if _DECIMAL.fullmatch(text) else int(text, base=0)
