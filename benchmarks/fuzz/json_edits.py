"""Edits of JSON as a tree: what comes out mostly still parses, so that what reads the values is reached.

Objects are lists of pairs here, so that a key can stand twice; `Raw` is text that no JSON writer would write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from benchmarks.fuzz.byte_edits import LARGEST, edit_bytes


class Pairs(list[tuple[str, Any]]):
    """An object, its keys in the order they stand in."""


class Raw(str):
    """Text that is written as it stands."""

    __slots__ = ()


_DEPTHS = (3, 33, 200, 485, 900, 990, 1500, 30_000)
_ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    0.5,
    1 << 64,
    "",
    "PASS",
    "\0",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\x1b[2J",
    [],
    Pairs(),
)
_KEYS = ("", "extra", "keyid", "__proto__", "a\x1b[2J", "\N{RIGHT-TO-LEFT OVERRIDE}a", "k" * 5000, "\0", "0", "a.b")
_BROKEN: tuple[Any, ...] = (
    "a" * 70_000,
    *(Raw(text) for text in ("NaN", "-Infinity", "1e999", "-0", "1E+2", "01", "0x10", "'a'", "", ",", "{", "tru")),
    *(Raw(text) for text in ('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x41"', '"a\nb"', '{"a":1,"a":2}')),
    *(Raw("9" * digits) for digits in (400, 4299, 5000)),
    *(Raw("[" * depth + "]" * depth) for depth in _DEPTHS),
    *(Raw('{"a":' * depth + "0" + "}" * depth) for depth in _DEPTHS),
)


def edit_json(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One to three edits of the tree, now and then of the bytes too; of these alone where there is no tree."""
    tree = read(data)
    if tree is None or draw.random() < 0.1:
        return edit_bytes(draw, data, others)
    try:
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            tree = edit_tree(draw, tree, read(draw.choice(others)))
        written = write(tree, draw)
    except RecursionError:
        return edit_bytes(draw, data, others)
    return edit_bytes(draw, written, others) if draw.random() < 0.05 else written[:LARGEST]


@lru_cache(maxsize=256)
def read(data: bytes) -> Any:
    """The tree of some JSON, not to be changed; None where it is none."""
    try:
        return json.loads(data, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return None


def write(tree: Any, draw: Random) -> bytes:
    """A tree as text, half of the time with white space that means nothing."""
    space = draw.choice(("", "", " ", "\n\t"))
    return _text(tree, space).encode("utf-8", "surrogatepass")


def _text(tree: Any, space: str) -> str:
    if isinstance(tree, Raw):
        return tree
    if isinstance(tree, Pairs):
        return "{" + f",{space}".join(f"{json.dumps(key)}:{space}{_text(value, space)}" for key, value in tree) + "}"
    if isinstance(tree, list):
        return "[" + f",{space}".join(_text(item, space) for item in tree) + "]"
    return json.dumps(tree, ensure_ascii=False)


def edit_tree(draw: Random, tree: Any, other: Any) -> Any:
    """One edit at a random place of a tree.

    Args:
        draw: random numbers.
        tree: what is altered; it is left as it is.
        other: a tree that pieces may come from.
    """
    places = list(_places(tree))
    way = draw.choice(places)
    donor = _at(other, draw.choice(list(_places(other))))
    if way and draw.random() < 0.4:
        return _within(tree, way[:-1], lambda inner: _edit_members(draw, inner, way[-1], donor))
    return _within(tree, way, lambda value: _edit_value(draw, value, donor))


def _places(tree: Any, way: tuple[int, ...] = ()) -> Any:
    yield way
    if isinstance(tree, Pairs):
        for index, (_, value) in enumerate(tree):
            yield from _places(value, (*way, index))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _places(value, (*way, index))


def _at(tree: Any, way: tuple[int, ...]) -> Any:
    for index in way:
        tree = tree[index][1] if isinstance(tree, Pairs) else tree[index]
    return tree


def _within(tree: Any, way: tuple[int, ...], edit: Callable[[Any], Any]) -> Any:
    """The tree with the part at that place edited, its ancestors copied."""
    if not way:
        return edit(tree)
    index, *rest = way
    if isinstance(tree, Pairs):
        key, value = tree[index]
        return Pairs([*tree[:index], (key, _within(value, tuple(rest), edit)), *tree[index + 1 :]])
    return [*tree[:index], _within(tree[index], tuple(rest), edit), *tree[index + 1 :]]


def _edit_members(draw: Random, holder: Any, index: int, donor: Any) -> Any:
    """Edit an object's or a list's members rather than their values."""
    members = list(holder)
    match draw.randrange(6):
        case 0:
            del members[index]
        case 1:
            members.insert(draw.randrange(len(members) + 1), members[index])
        case 2:
            draw.shuffle(members)
        case 3:
            members[index] = _renamed(draw, members[index]) if isinstance(holder, Pairs) else [members[index]]
        case 4:
            members.append((draw.choice(_KEYS), donor) if isinstance(holder, Pairs) else donor)
        case _:
            members *= draw.choice((0, 2, 70))
    return Pairs(members) if isinstance(holder, Pairs) else members


def _renamed(draw: Random, member: tuple[str, Any]) -> tuple[str, Any]:
    key, value = member
    return draw.choice((key.upper(), key + " ", key[:-1], key + "\0", "_" + key, key.replace("a", "\u0430"))), value


def _edit_value(draw: Random, value: Any, donor: Any) -> Any:
    match draw.randrange(5):
        case 0:
            return donor
        case 1:
            return draw.choice(([value], Pairs([("a", value)])))
        case 2 | 3 if isinstance(value, str):
            return edit_text(draw, value)
        case 2 if isinstance(value, (int, float)):
            return draw.choice((-value, value + 1, value * 2, Raw(f"{value}.0"), str(value), value + (1 << 32)))
    return draw.choice(_ODD if draw.random() < 0.8 else _BROKEN)


def edit_text(draw: Random, text: str) -> str:
    """One edit of some text: of its letters, or of what its base64 or hexadecimal digits stand for."""
    at = draw.randrange(len(text) + 1)
    match draw.randrange(9):
        case 0:
            return text[:at] + draw.choice("=-_+/ \n\r\t\0é\u202e\ud800%\\\"'A0z") + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text.rstrip("=") + "=" * draw.randrange(4)
        case 3:
            return draw.choice((text.translate(str.maketrans("+/", "-_")), text.swapcase(), text[::-1], text * 2))
        case 4 if text.rstrip("="):
            # Bits that base64 does not use: another text for the same bytes.
            body = text.rstrip("=")
            return body[:-1] + chr(ord(body[-1]) ^ 1 if ord(body[-1]) < 0xD7FF else 65) + text[len(body) :]
        case 5:
            return draw.choice((f" {text}", f"{text}\n", text[: at // 4 * 4], text[4:], text[:at]))
        case 6 if text:
            return text[:at] + draw.choice("0123456789abcdefABCDEF") + text[at + 1 :]
        case 7 if text:
            return text[:at] + chr(draw.randrange(0x20, 0x3000)) + text[at + 1 :]
    return text + draw.choice(("\0", "A" * 4, "=", "\N{ZERO WIDTH SPACE}"))
