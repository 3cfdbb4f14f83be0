"""Edits of key files: of the PEM around them, and of the DER inside, element by element with lengths that fit."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from random import Random

from benchmarks.fuzz.byte_edits import LARGEST, edit_bytes

_BLOCK = re.compile(rb"-----BEGIN ([^-]*)-----\r?\n(.*?)-----END [^-]*-----", re.DOTALL)
_LABELS = (
    *(
        b"PRIVATE KEY",
        b"ENCRYPTED PRIVATE KEY",
        b"PUBLIC KEY",
        b"AUDIT PRIVATE KEY",
        b"EC PRIVATE KEY",
        b"RSA PRIVATE KEY",
    ),
    *(b"OPENSSH PRIVATE KEY", b"EC PARAMETERS", b"CERTIFICATE", b"DSA PRIVATE KEY", b"", b"public key", b"PUBLIC  KEY"),
)
_NOISE = (
    *(
        b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
        b"\n\n",
        b"\0",
        b"=",
        b"====",
        b"\xff",
        b" ",
        b"\t",
        b"#\n",
    ),
    *(b"-----BEGIN ", b"-----END ", b"-----", b"\r\n", b"\xef\xbb\xbf", b"AAAA" * 20_000, b"Comment: x\n", b"-"),
)
_OIDS = tuple(
    bytes.fromhex(text)
    for text in (
        *("2b6570", "2b656e", "2b6571", "2b656f", "2a8648ce3d0201", "2a8648ce3d030107", "2b81040022", "2b8104000a"),
        *("2a864886f70d010101", "2a864886f70d01050d", "2a864886f70d01050c", "2b06010401da47040b", "60864801650304012a"),
        *("2a864886f70d0209", "2a8648ce380401", "00", "ff", "80", "2b" * 40),
    )
)
"""Algorithms, curves, key derivations and ciphers that key files name, and identifiers that are none."""
_INTEGERS = (
    *(b"", b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\0\xff", b"\x40\0", b"\x7f\xff\xff\xff", b"\0" * 9),
    b"\x01" + bytes(64),
)
_LENGTHS = (b"\x80", b"\x84\xff\xff\xff\xff", b"\x81\x01", b"\x88" + b"\xff" * 8, b"\x7f")
"""None of them fits."""
_INTEGER, _OID = 0x02, 0x06
_CONSTRUCTED = 0x20
_DEEPEST = 24


def edit_key(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Edit a key file's text, its DER, or its bytes."""
    block = _BLOCK.search(data)
    if block is None or draw.random() < 0.1:
        return edit_bytes(draw, data, others)
    if draw.random() < 0.3:
        return _edit_pem(draw, data, others)
    label, der = block[1], _decoded(block[2])
    for _ in range(draw.choice((1, 1, 2, 3))):
        der = edit_der(draw, der)
    return pem(label, der)[:LARGEST]


def pem(label: bytes, der: bytes) -> bytes:
    """A PEM block (RFC 7468 section 3)."""
    text = base64.b64encode(der)
    lines = b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))
    return b"-----BEGIN " + label + b"-----\n" + lines + b"-----END " + label + b"-----\n"


def edit_der(draw: Random, der: bytes) -> bytes:
    """One edit of one element, anywhere in the tree; the lengths around it are made to fit again."""
    elements = _elements(der)
    if not elements or draw.random() < 0.1:
        return edit_bytes(draw, der, (der,))
    count = sum(_count(value, tag) for tag, value in elements)
    return _rebuilt(draw, elements, draw.randrange(count), 0)[0]


def _count(value: bytes, tag: int, depth: int = 0) -> int:
    inner = _inner(tag, value) if depth < _DEEPEST else None
    return 1 + (sum(_count(part, kind, depth + 1) for kind, part in inner) if inner else 0)


def _rebuilt(draw: Random, elements: list[tuple[int, bytes]], target: int, depth: int) -> tuple[bytes, int]:
    """The elements with number `target`, counted depth first, edited; and what is left of the count."""
    made = b""
    for tag, value in elements:
        if target == 0:
            made += _edited(draw, tag, value)
            target = -1
            continue
        target -= 1
        inner = _inner(tag, value) if depth < _DEEPEST and target >= 0 else None
        if inner:
            value, target = _rebuilt(draw, inner, target, depth + 1)  # noqa: PLW2901 - the element goes on with it
        made += element(tag, value)
    return made, target


def _edited(draw: Random, tag: int, value: bytes) -> bytes:
    match draw.randrange(10):
        case 0:
            return b""
        case 1:
            return element(tag, value) * 2
        case 2:
            return element(draw.choice((0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31, 0xA0, 0xA1, 0x80, 0x1F)), value)
        case 3:
            return bytes([tag]) + draw.choice(_LENGTHS) + value
        case 4:
            return element(tag, value + draw.randbytes(draw.choice((1, 2, 32))))
        case 5:
            return element(tag, value[: draw.randrange(len(value) + 1)])
        case 6:
            return element(tag, bytes(len(value)))
        case 7:
            return element(0x30, element(tag, value))
    return element(tag, draw.choice(_odd(draw, tag, value)))


def _odd(draw: Random, tag: int, value: bytes) -> Sequence[bytes]:
    """Other values of the element's type."""
    if tag in {_INTEGER, _OID}:
        return _INTEGERS if tag == _INTEGER else _OIDS
    return value[::-1], b"\0" + value, b"\4" + value[1:], edit_bytes(draw, value, (value,))


def element(tag: int, value: bytes) -> bytes:
    """One element in DER (X.690 section 8.1)."""
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    size = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + value


def _inner(tag: int, value: bytes) -> list[tuple[int, bytes]] | None:
    """What a constructed element holds, or an octet string that holds DER itself."""
    return _elements(value) if tag & _CONSTRUCTED or (tag == 0x04 and value[:1] in {b"\x30", b"\x04"}) else None


def _elements(der: bytes) -> list[tuple[int, bytes]] | None:
    found, at = [], 0
    while at + 2 <= len(der):
        tag, size, start = der[at], der[at + 1], at + 2
        if size >= 0x80:
            width = size & 0x7F
            size, start = int.from_bytes(der[start : start + width], "big"), start + width
        if start + size > len(der):
            return None
        found.append((tag, der[start : start + size]))
        at = start + size
    return found if at == len(der) else None


def _edit_pem(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    match draw.randrange(7):
        case 0:
            return data.replace(draw.choice((b"BEGIN ", b"END ")), draw.choice((b"", b"begin ", b"BEGIN  ")), 1)
        case 1:
            label = _BLOCK.search(data)
            return data.replace(label[1], draw.choice(_LABELS), draw.choice((1, 2))) if label and label[1] else data
        case 2:
            return data + draw.choice(others)
        case 3:
            return draw.choice(others) + data
        case 4:
            return data.replace(b"\n", draw.choice((b"\r\n", b"", b"\n\n", b" \n", b"\r")))
    return (data[:at] + draw.choice(_NOISE) + data[at:])[:LARGEST]


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""
