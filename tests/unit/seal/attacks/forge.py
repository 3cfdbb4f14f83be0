"""The attacker's workbench: an image in pieces, put together again with any lie in it.

Written from MCUboot's `image.h` and on purpose without the parser of the project, whose refusals are what is tested.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from dataclasses import dataclass

_HEADER = struct.Struct("<IIHHIIBBHII")
_FIELDS = ("magic", "load", "size", "protected", "payload", "flags", "major", "minor", "revision", "build", "reserved")
_HEAD = struct.Struct("<HH")
_MAGIC = 0x6907
_PROTECTED_MAGIC = 0x6908

Entry = tuple[int, bytes]
"""A TLV: type and value."""


@dataclass(frozen=True)
class Pieces:
    """An image taken apart; `whole` puts it together with sizes that fit, whatever the pieces are."""

    header: bytes
    payload: bytes
    protected: tuple[Entry, ...]
    unprotected: tuple[Entry, ...]

    def whole(self, **lies: int) -> bytes:
        """The image; a lie replaces one field of the header, sizes included."""
        first = area(_PROTECTED_MAGIC, self.protected) if self.protected else b""
        second = area(_MAGIC, self.unprotected) if self.unprotected else b""
        honest = header(self.header, **{"protected": len(first), "payload": len(self.payload), **lies})
        return honest + self.payload + first + second

    def but(self, **changed: object) -> Pieces:
        """These pieces with some of them replaced."""
        return dataclasses.replace(self, **changed)  # type: ignore[arg-type]

    def without(self, kind: int) -> Pieces:
        """These pieces less every TLV of a type."""
        return self.but(
            protected=tuple(entry for entry in self.protected if entry[0] != kind),
            unprotected=tuple(entry for entry in self.unprotected if entry[0] != kind),
        )

    def changed(self, kind: int, change: Callable[[bytes], bytes], *, becomes: int | None = None) -> Pieces:
        """These pieces with the value of a type changed, and the type itself where another is given."""

        def each(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            new = kind if becomes is None else becomes
            return tuple((new, change(value)) if found == kind else (found, value) for found, value in entries)

        return self.but(protected=each(self.protected), unprotected=each(self.unprotected))

    def value(self, kind: int) -> bytes:
        """The value of the one TLV of a type."""
        (found,) = [value for other, value in (*self.protected, *self.unprotected) if other == kind]
        return found


def take_apart(image: bytes) -> Pieces:
    """The pieces of a genuine image."""
    fields = dict(zip(_FIELDS, _HEADER.unpack_from(image), strict=True))
    end = fields["size"] + fields["payload"]
    middle = end + fields["protected"]
    return Pieces(image[:32], image[32:end], _entries(image[end:middle]), _entries(image[middle:]))


def header(original: bytes, **fields: int) -> bytes:
    """A header with some fields replaced, each cut to its width."""
    found = dict(zip(_FIELDS, _HEADER.unpack(original), strict=True)) | fields
    return _HEADER.pack(*found.values())


def area(magic: int, entries: tuple[Entry, ...]) -> bytes:
    """A TLV area with its head."""
    body = b"".join(_HEAD.pack(kind, len(value)) + value for kind, value in entries)
    return _HEAD.pack(magic, len(body) + _HEAD.size) + body


def swapped(entries: tuple[Entry, ...], at: int) -> tuple[Entry, ...]:
    """Entries with one and the next exchanged."""
    changed = list(entries)
    changed[at], changed[at + 1] = changed[at + 1], changed[at]
    return tuple(changed)


def _entries(data: bytes) -> tuple[Entry, ...]:
    found, at = [], _HEAD.size
    while at < len(data):
        kind, length = _HEAD.unpack_from(data, at)
        found.append((kind, data[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(found)
