"""Base64 in its one canonical form (RFC 4648 section 4): what is read is exactly what would be written."""

from __future__ import annotations

import base64


def encode(data: bytes) -> str:
    """Bytes in base64."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Bytes from base64, of which nobody can make a second spelling.

    Raises:
        ValueError: other characters, missing or superfluous padding, or bits set that carry nothing.
    """
    decoded = base64.b64decode(text.encode(), validate=True)
    if encode(decoded) != text:
        raise ValueError("this base64 is not in its canonical form")
    return decoded
