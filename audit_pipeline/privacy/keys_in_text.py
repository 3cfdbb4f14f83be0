"""Secrets in text: keys and tokens by the form their makers give them, and words too random to be names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

_FORMS = {
    "private key in PEM": rb"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----",
    "private key of PuTTY": rb"PuTTY-User-Key-File-\d",
    "AWS access key": rb"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])",
    "GitHub token": rb"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})",
    "GitLab token": rb"(?<![A-Za-z0-9])gl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{20,}",
    "Google API key": rb"(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}",
    "Slack token": rb"(?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z-]{10,}",
    "Hugging Face token": rb"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}",
    "Stripe key": rb"(?<![A-Za-z0-9])[rsp]k_(?:live|test)_[0-9A-Za-z]{16,}",
    "package registry token": rb"(?<![A-Za-z0-9])(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,})",
    "API key": rb"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,}",
    "JSON web token": rb"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "address with a password": rb"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{2,}://[^\s\0/:@]{1,64}:[^\s\0/@]{2,64}@[\w.-]{3,}",
    "bearer token": rb"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{16,}",
    "named secret": rb"(?i)(?:passw(?:or)?d|passphrase|secret|api[_-]?key|account[_-]?key|auth[_-]?key|access.?token"
    rb"|auth.?token)\w{0,16}\\?[\"']?\s{0,3}[=:]\s{0,3}\\?[\"']?[!-~]{6,}",
}
_PATTERNS = {said: re.compile(form) for said, form in _FORMS.items()}
_DENSE = re.compile(rb"[A-Za-z0-9+=]{32,}")
_MIXED = re.compile(rb"[A-Za-z0-9+/=_-]{20,}")
_LEAST_BITS, _LEAST_HEX_BITS, _LEAST_OF_A_CLASS = 4.0, 3.2, 3
"""Shannon entropy a character, and characters of a class, from which a long word is taken for a key, not for a name."""
_PIECE = re.compile(rb"[A-Za-z0-9]{8,}")
_LEAST_LENGTH, _LEAST_CHANGES = 16, 0.45
"""Characters of such pieces in a word, and the share of neighbours of two classes (capital, small, digit); 0.64 is
expected of base64, and names change at the beginning of their words alone."""
_MOST_CONSECUTIVE = 0.3
"""Share of characters that follow their neighbour in the alphabet: above it, a word is a table of an encoding."""


def find_keys(text: bytes) -> Iterator[tuple[int, int, str]]:
    """Offset, length and kind in words of every secret; what a form has found is not found as a random word again."""
    taken = []
    for said, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            taken.append(match.span())
            yield match.start(), len(match[0]), said
    for pattern, looks_random in ((_DENSE, _is_dense), (_MIXED, _is_mixed)):
        for match in pattern.finditer(text):
            start, end = match.span()
            if looks_random(match[0]) and not any(a < end and start < b for a, b in taken):
                taken.append((start, end))
                yield start, end - start, "random-looking word"


def _is_dense(word: bytes) -> bool:
    """A long word of letters and digits with the entropy of keys rather than of names."""
    hexadecimal = re.fullmatch(rb"[0-9a-f]+|[0-9A-F]+", word) is not None
    digits = sum(character in b"0123456789" for character in word)
    enough = _LEAST_HEX_BITS if hexadecimal else _LEAST_BITS
    return digits >= _LEAST_OF_A_CLASS and _entropy(word) >= enough and not _is_table(word)


def _is_mixed(word: bytes) -> bool:
    """A word that goes between capitals, small letters and digits as no name does."""
    pieces = [bytes(map(_class, piece)) for piece in _PIECE.findall(word)]
    length = sum(map(len, pieces))
    counts = Counter(b"".join(pieces))
    if length < _LEAST_LENGTH or any(counts[kind] < _LEAST_OF_A_CLASS for kind in b"Aa0"):
        return False
    changes = sum(a != b for piece in pieces for a, b in pairwise(piece)) / (length - len(pieces))
    return changes >= _LEAST_CHANGES and not _is_table(word)


def _class(character: int) -> int:
    if character <= ord("9"):
        return ord("0")
    return ord("a") if character >= ord("a") else ord("A")


def _is_table(word: bytes) -> bool:
    consecutive = sum(b - a == 1 for a, b in pairwise(word))
    return consecutive / (len(word) - 1) > _MOST_CONSECUTIVE


def _entropy(word: bytes) -> float:
    """Shannon entropy of a word's characters, in bits a character."""
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())
