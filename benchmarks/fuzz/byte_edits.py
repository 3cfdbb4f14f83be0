"""Edits of bytes that know nothing of their format: what every mutational fuzzer begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LARGEST = 1 << 17
"""Inputs grow no further: what larger ones do is a matter of time, which shows long before."""

_EDGES = tuple(
    value.to_bytes(width, order)
    for width in (1, 2, 4, 8)
    for order in ("little", "big")
    for value in (0, 1, (1 << (8 * width - 1)) - 1, 1 << (8 * width - 1), (1 << (8 * width)) - 1)
)
"""Least and greatest numbers of every width, where sums overflow."""

ByteEdit = Callable[[Random, bytes, Sequence[bytes]], bytes]


def edit_bytes(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One to four edits, one after another.

    Args:
        draw: random numbers.
        data: what is altered.
        others: samples that pieces may come from; at least one.
    """
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        data = draw.choice(_EDITS)(draw, data, others)
    return data[:LARGEST]


def _flip_bit(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _set_byte(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.randbytes(1) + data[at + 1 :]


def _set_edge(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at, edge = draw.randrange(len(data) + 1), draw.choice(_EDGES)
    return data[:at] + edge + data[at + len(edge) :]


def _truncate(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _behead(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[draw.randrange(len(data) + 1) :]


def _cut_out(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data)
    return data[:start] + data[end:]


def _repeat(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data)
    return data[:end] + data[start:end] * draw.choice((1, 1, 2, 16, 256)) + data[end:]


def _move(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data)
    piece, rest = data[start:end], data[:start] + data[end:]
    at = draw.randrange(len(rest) + 1)
    return rest[:at] + piece + rest[at:]


def _insert(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.randbytes(draw.choice((1, 2, 4, 16, 64))) + data[at:]


def _grow(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data + draw.choice((b"\0", b"\xff", b"\n", b" ", draw.randbytes(8))) * draw.choice((1, 4, 16, 1024))


def _splice(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = draw.choice(others)
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


def _transplant(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The other sample's bytes at the same place: fields of one size keep their place."""
    other = draw.choice(others)
    start, end = _span(draw, other)
    return data[:start] + other[start:end] + data[end:]


def _span(draw: Random, data: bytes) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 2, 4, 8, 32, 128, 1024)))


_EDITS: tuple[ByteEdit, ...] = (
    _flip_bit,
    _flip_bit,
    _set_byte,
    _set_edge,
    _truncate,
    _behead,
    _cut_out,
    _repeat,
    _move,
    _insert,
    _grow,
    _splice,
    _transplant,
)
