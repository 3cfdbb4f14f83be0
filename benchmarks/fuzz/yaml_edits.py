"""Edits of YAML as lines of text: what people mistype, and what attackers of YAML readers write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from benchmarks.fuzz.byte_edits import LARGEST, edit_bytes

_BOMB = "".join(f"b{level}: &b{level} [{', '.join([f'*b{level - 1}'] * 9)}]\n" for level in range(1, 12))

SCALARS = (
    *(
        "",
        "~",
        "null",
        "true",
        "yes",
        "no",
        "0",
        "-1",
        "1",
        "2",
        "1.5",
        "1e400",
        ".inf",
        "-.inf",
        ".nan",
        "0x10",
        "0o17",
    ),
    *("0777", "1_000", "12:30:45", "9" * 90, "9" * 101, "9" * 5000, "18446744073709551616", "9223372036854775808"),
    *(
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "'2026-01-01T00:00:00Z'",
        "'2026-02-30T00:00:00Z'",
        "'9999-12-31T23:59:59Z'",
    ),
    *("'0000-00-00T00:00:00Z'", "'2026-01-01T24:00:00Z'", "'2026-01-01T00:00:00+00:00'", "'2026-01-01T00:00:60Z'"),
    *("'20260101T000000Z'", "'２０２６-01-01T00:00:00Z'", "'1000-01-01T00:00:00Z'", "'2026-W01-1T00:00:00Z'"),
    *("[]", "{}", "[[]]", "[1, 2", "{a: 1, a: 2}", "{a: {b: {c: d}}}", "- -", "? a", "!!str 1", "!!binary aGk="),
    *("!!python/object/apply:os.system [id]", "!foo bar", "&a", "&a [*a]", "*a", "*nowhere", "<<: *a", "|\n  block"),
    *('"\\ud800"', '"\\x00"', '"\\0"', '"\\U00110000"', "'a", '"a', "a: b: c", "#", "%", "@", "`", "\t", "a\tb", "\\"),
    *("[" * 40 + "]" * 40, "[" * 3000, "{" * 3000, "- " * 500 + "a", "x" * 70_000, "\u202e", "\ufeff", "\u0085", "é"),
    *("root", "image", "revoked", "ed25519", "p256", "x25519", "../../etc/passwd", "/dev/zero", "a\u2028b", "'" * 999),
)
_LINES = (
    *(
        "---",
        "...",
        "--- a",
        "%YAML 1.1",
        "%YAML 1.2\n---",
        "%TAG ! tag:x,2000:",
        "<<: {a: 1}",
        "? {a: b}\n: c",
        "? [a]",
    ),
    *(
        "\t",
        "\tkey: 1",
        "# comment",
        "key",
        "key:",
        ": value",
        "- item",
        "  deep: 1",
        "'': 1",
        "1: 2",
        "null: 1",
        "~: 1",
    ),
    *(
        "true: 1",
        f"{'k' * 2000}: 1",
        "&anchor key: *anchor",
        "*alias : 1",
        "a: &x\n  b: *x",
        "\0",
        "\x07",
        "\x7f",
        "\u2028",
    ),
    *(_BOMB, "a: &a {<<: *a}", "version: 1", "version: 2", "keys: {}", "roles: {}", "key: |2-\n   a", "k: >+\n\n\n"),
)
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp037")
_VALUE = re.compile(r"^(\s*(?:- )?[^:#]*:)(.*)$")


def edit_yaml(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One to three edits of lines, now and then of the bytes or of their encoding."""
    if draw.random() < 0.15:
        return edit_bytes(draw, data, others)
    text = data.decode("utf-8", "surrogateescape")
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        text = _edit_lines(draw, text, draw.choice(others).decode("utf-8", "surrogateescape"))
    if draw.random() < 0.02:
        return text.encode(draw.choice(_ENCODINGS), "replace")[:LARGEST]
    return text.encode("utf-8", "surrogateescape" if draw.random() < 0.5 else "replace")[:LARGEST]


def _edit_lines(draw: Random, text: str, other: str) -> str:
    lines = text.split("\n")
    at = draw.randrange(len(lines))
    match draw.randrange(12):
        case 0:
            del lines[at]
        case 1:
            lines.insert(draw.randrange(len(lines) + 1), lines[at])
        case 2:
            lines[at] = draw.choice((" ", "  ", "\t", "    ")) + lines[at]
        case 3:
            lines[at] = lines[at].removeprefix("  ")
        case 4:
            lines.insert(at, " " * draw.choice((0, 0, 2, 4)) + draw.choice(_LINES))
        case 5:
            lines.insert(at, draw.choice(other.split("\n")))
        case 6:
            lines[at] = _renamed(draw, lines[at])
        case 7:
            start = draw.randrange(len(lines))
            lines[at:at] = lines[start : start + draw.choice((2, 3, 5, 200))]
        case 8 if draw.random() < 0.5:
            return (
                draw.choice(("%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "\ufeff", "\n\n", "# \u0001\n", "---\n---\n"))
                + text
            )
        case 8:
            return text.replace("\n", draw.choice(("\r\n", "\r", "\u0085", "\n\n", "\u2028")))
        case _:
            lines[at] = _revalued(draw, lines[at])
    return "\n".join(lines)


def _revalued(draw: Random, line: str) -> str:
    """Another value after the line's key, or its own value under a tag, an anchor or in a collection."""
    found = _VALUE.match(line)
    if not found:
        return draw.choice(SCALARS)
    key, value = found[1], found[2].strip()
    wrapped = (f"[{value}]", f"{{a: {value}}}", f"&a {value}", f"!!str {value}", f'"{value}"')
    near = (*wrapped, f"{value}0", value[:-1], value.upper())
    return f"{key} {draw.choice(near) if draw.random() < 0.4 else draw.choice(SCALARS)}"


def _renamed(draw: Random, line: str) -> str:
    key, colon, rest = line.partition(":")
    return (
        draw.choice((key + "x", key[:-1], key.upper(), f"? {key}\n", f'"{key.strip()}"', f"!!str {key}")) + colon + rest
    )
