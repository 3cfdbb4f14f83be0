"""Edits of an MCUboot image as header, payload and TLVs, put together again with sizes that fit, or nearly.

Written from MCUboot's `image.h` without the parser of the project, which is what is tested.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.fuzz.byte_edits import edit_bytes

_HEADER = struct.Struct("<IIHHIIBBHII")
_HEAD = struct.Struct("<HH")
_UNPROTECTED, _PROTECTED = 0x6907, 0x6908
_WIDTHS = (32, 32, 16, 16, 32, 32, 8, 8, 16, 32, 32)
"""Bits of each field of the header, from the magic number to the reserved word."""
_TYPES = (
    *(0x01, 0x02, 0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0x23, 0x24, 0x30, 0x31, 0x32, 0x33, 0x40, 0x50, 0x60),
    *(0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x80, 0x9F, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xFF, 0x100, 0x1A0, 0xFFFE, 0xFFFF),
)
"""Every type that MCUboot or this tool knows, and neighbours."""
_LENGTHS = (0, 1, 4, 31, 32, 33, 64, 72, 80, 96, 113, 129, 255, 4096)

Entry = tuple[int, bytes]
"""A TLV: type and value."""


@dataclass(frozen=True)
class Pieces:
    """An image taken apart; `whole` puts it together with sizes that fit."""

    header: tuple[int, ...]
    payload: bytes
    protected: tuple[Entry, ...]
    unprotected: tuple[Entry, ...]

    @classmethod
    def of(cls, image: bytes) -> Pieces:
        """The pieces of a genuine image."""
        header = _HEADER.unpack_from(image)
        start, end = header[2], header[2] + header[4]
        protected = image[end : end + header[3]]
        return cls(header, image[start:end], _entries(protected), _entries(image[end + header[3] :]))

    def value(self, kind: int) -> bytes:
        """The value of the one entry of a type."""
        return next(value for found, value in self.protected + self.unprotected if found == kind)

    def signed_area(self, plain: bytes) -> bytes:
        """What the image hash covers: the header, this payload, and the protected TLVs."""
        protected = area(_PROTECTED, self.protected)
        return _HEADER.pack(*_with(self.header, 3, len(protected) & 0xFFFF)) + plain + protected

    def whole(self) -> bytes:
        """The image; the sizes of payload and protected TLVs are made to fit, everything else is as it stands."""
        return self.signed_area(self.payload) + area(_UNPROTECTED, self.unprotected)


def area(magic: int, entries: Sequence[Entry]) -> bytes:
    """A TLV area; lengths too large for their field are cut to it, as a careless writer would."""
    body = b"".join(_HEAD.pack(kind, len(value) & 0xFFFF) + value for kind, value in entries)
    return _HEAD.pack(magic, (len(body) + _HEAD.size) & 0xFFFF) + body


def edit_pieces(draw: Random, pieces: Pieces, other: Pieces) -> Pieces:
    """One edit: of the header, of the payload, or of the entries of one area."""
    match draw.randrange(8):
        case 0:
            return dataclasses.replace(pieces, header=_edit_header(draw, pieces.header, other.header))
        case 1:
            return _resized(draw, pieces)
        case 2 | 3 | 4:
            protected, strays = _edit_entries(draw, pieces.protected, other.protected + pieces.unprotected)
            return dataclasses.replace(pieces, protected=protected, unprotected=pieces.unprotected + strays)
        case _:
            unprotected, strays = _edit_entries(draw, pieces.unprotected, other.unprotected + pieces.protected)
            return dataclasses.replace(pieces, unprotected=unprotected, protected=pieces.protected + strays)


def misfit(draw: Random, image: bytes) -> bytes:
    """The image with one of its sizes wrong: of the header, an area or an entry."""
    header = _HEADER.unpack_from(image)
    protected_at = header[2] + header[4]
    unprotected_at = protected_at + header[3]
    lengths = _lengths_at(image, protected_at) + _lengths_at(image, unprotected_at)
    at = draw.choice((10, 12, protected_at + 2, unprotected_at + 2, *lengths))
    if at + 2 > len(image):
        return image
    size = int.from_bytes(image[at : at + 2], "little")
    wrong = draw.choice((size - 1, size + 1, size - 4, size + 4, size ^ 0x8000, 0, 3, 4, 0xFFFF, size * 2)) & 0xFFFF
    return image[:at] + wrong.to_bytes(2, "little") + image[at + 2 :]


def _lengths_at(image: bytes, start: int) -> list[int]:
    """Where the lengths of an area's entries stand, as far as they can be followed."""
    found: list[int] = []
    at = start + _HEAD.size
    while at + _HEAD.size <= len(image) and len(found) < 16:
        found.append(at + 2)
        at += _HEAD.size + int.from_bytes(image[at + 2 : at + 4], "little")
    return found


def _edit_header(draw: Random, header: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    field = draw.randrange(len(header))
    top = (1 << _WIDTHS[field]) - 1
    value = header[field]
    flipped = value ^ (1 << draw.randrange(_WIDTHS[field]))
    return _with(header, field, draw.choice((flipped, flipped, value + 1, value - 1, 0, top, other[field])) & top)


def _resized(draw: Random, pieces: Pieces) -> Pieces:
    """Another payload, the header's size of it made to fit or not."""
    grown = pieces.payload + draw.randbytes(draw.choice((1, 15, 16, 32)))
    payload = draw.choice((b"", pieces.payload[:-16], pieces.payload[:-1], grown, edit_bytes(draw, grown, (grown,))))
    header = _with(pieces.header, 4, len(payload)) if draw.random() < 0.9 else pieces.header
    return dataclasses.replace(pieces, header=header, payload=payload)


def _edit_entries(
    draw: Random, entries: tuple[Entry, ...], donors: tuple[Entry, ...]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """An area's entries after one edit, and what the edit moves to the other area."""
    found = list(entries)
    if not found:
        return donors[:1], ()
    index = draw.randrange(len(found))
    kind, value = found[index]
    match draw.randrange(9):
        case 0:
            return tuple(found[:index] + found[index + 1 :]), ()
        case 1:
            return tuple(found[:index] + found[index + 1 :]), ((kind, value),)
        case 2:
            found.insert(draw.randrange(len(found) + 1), (kind, value))
        case 3:
            draw.shuffle(found)
        case 4:
            found.insert(draw.randrange(len(found) + 1), draw.choice(donors or entries))
        case 5:
            found.insert(draw.randrange(len(found) + 1), (draw.choice(_TYPES), draw.randbytes(draw.choice(_LENGTHS))))
        case 6:
            found[index] = (draw.choice((*_TYPES, kind | 0x100, kind ^ (1 << draw.randrange(16)))), value)
        case 7:
            found[index] = (kind, edit_bytes(draw, value, (value, *(value for _, value in donors)))[:0xFFFF])
        case _:
            found[index] = (kind, _edit_value(draw, value, donors))
    return tuple(found), ()


def _edit_value(draw: Random, value: bytes, donors: tuple[Entry, ...]) -> bytes:
    """A value of the same size: edges, the same field of another image, one byte."""
    same = [other for _, other in donors if len(other) == len(value)] or [value]
    at = draw.randrange(len(value) + 1)
    one_byte = value[:at] + draw.randbytes(1) + value[at + 1 :]
    return draw.choice((bytes(len(value)), b"\xff" * len(value), draw.choice(same), one_byte))


def _entries(data: bytes) -> tuple[Entry, ...]:
    found: list[Entry] = []
    at = _HEAD.size
    while at < len(data):
        kind, length = _HEAD.unpack_from(data, at)
        found.append((kind, data[at + _HEAD.size : at + _HEAD.size + length]))
        at += _HEAD.size + length
    return tuple(found)


def _with(header: tuple[int, ...], field: int, value: int) -> tuple[int, ...]:
    return (*header[:field], value, *header[field + 1 :])
