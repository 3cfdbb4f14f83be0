"""Canonical JSON and digests: the one way a value becomes bytes that are hashed, signed or logged."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 1 << 20
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Encode a JSON value so that equal values give equal bytes.

    Keys sorted by code point, no white space, UTF-8, shortest round-trip floats as Python prints them. This is the
    JSON Canonicalization Scheme (RFC 8785) for the values used here, except that floats keep Python's exponent form.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot hold; "not measurable" is a reason, never a NaN.
    """
    return canonical_text(value).encode()


def canonical_text(value: Any) -> str:
    """The same before it is encoded as UTF-8, which a lone surrogate cannot be."""
    try:
        return _ENCODER.encode(value)
    except ValueError:
        _refuse_non_finite(value, "$")
        raise


def _refuse_non_finite(value: Any, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path} is {value}, which JSON cannot hold")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_non_finite(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_non_finite(item, f"{path}[{index}]")


def sha256_hex(data: bytes) -> str:
    """SHA-256 of bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces of one MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
