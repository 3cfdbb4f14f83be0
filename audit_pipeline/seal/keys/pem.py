"""PEM with nothing left open (RFC 7468, stricter): one block, its label, canonical base64, and no byte beside it.

OpenSSL skips what stands before and after a block, joins several, and forgives padding bits, so that one key has many
files and one file can show different keys to different readers.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from audit_pipeline.errors import InputError

_COLUMNS = 64
_BLOCK = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]{1,64})-----\r?\n(?P<body>(?:[A-Za-z0-9+/=]+\r?\n)+)"
    rb"-----END (?P=label)-----(?:\r?\n)?"
)


@dataclass(frozen=True)
class PemBlock:
    """What a PEM file says it holds, and the bytes of it."""

    label: str
    content: bytes


def read_pem(text: bytes, *, where: str) -> PemBlock:
    """The one block of a PEM file.

    Raises:
        InputError: `keys.not-pem`; nothing of the content is repeated.
    """
    found = _BLOCK.fullmatch(text)
    if found is not None:
        body = re.sub(rb"\r?\n", b"", found["body"])
        try:
            content = base64.b64decode(body, validate=True)
        except binascii.Error:
            content = b""
        if content and base64.b64encode(content) == body:
            return PemBlock(found["label"].decode("ascii"), content)
    raise InputError(
        "keys.not-pem",
        "this is not a PEM file with exactly one key and nothing beside it",
        where=where,
        hint="give the file as `audit keys new` wrote it, or write it anew with `openssl pkey`",
    )


def write_pem(block: PemBlock) -> bytes:
    """A block as a file: lines of 64 columns, as RFC 7468 section 2 has it."""
    body = base64.b64encode(block.content)
    lines = [body[start : start + _COLUMNS] for start in range(0, len(body), _COLUMNS)]
    label = block.label.encode("ascii")
    return b"\n".join([b"-----BEGIN " + label + b"-----", *lines, b"-----END " + label + b"-----", b""])
