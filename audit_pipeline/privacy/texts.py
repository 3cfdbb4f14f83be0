"""Text in a file that tells of the people and machines behind it: paths, e-mail addresses, secrets.

Weights look like random bytes, so every pattern asks for enough fixed or narrow characters that chance does not
make it in a file of some megabytes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from audit_pipeline.privacy_part import BlobHit

_PATHS = (
    rb"/(?:home|Users|root|mnt|media|tmp|var|opt|srv|data|workspace|content|kaggle)/[\w.@+~-]{2,}(?:/[\w.@+~-]+)*",
    rb"\b[A-Za-z]:[\\/](?:Users|Documents and Settings|Windows|Program Files)[\\/][\w .@+~-]{2,}",
    rb"\b[A-Z]:(?:\\[\w .@+~-]{3,}){2,}",
    rb"\bfile://[\w./@+~-]{3,}",
)
_EMAIL = rb"\b[A-Za-z0-9][A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]{2,}\.)+[a-z]{2,12}\b"
_SECRETS = {
    "private key in PEM": rb"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----",
    "AWS access key": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})",
    "Google API key": rb"\bAIza[0-9A-Za-z_-]{35}",
    "Slack token": rb"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "Hugging Face token": rb"\bhf_[A-Za-z0-9]{30,}",
    "API key": rb"\bsk-[A-Za-z0-9_-]{20,}",
    "JSON web token": rb"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "address with a password": rb"\b[a-z][a-z0-9+.-]{2,}://[^\s/:@]{2,}:[^\s/:@]{2,}@[\w.-]{3,}",
    "named secret": rb"(?i)(?:passw(?:or)?d|secret|api[_-]?key|access.?token)\w{0,16}[\"']?\s{0,3}[=:]\s{0,3}[!-~]{6,}",
}
_DENSE = re.compile(rb"[A-Za-z0-9+=]{32,}")
_LEAST_BITS, _LEAST_HEX_BITS, _LEAST_DIGITS = 4.0, 3.2, 3
"""Shannon entropy a character, and decimal digits, from which a long word is taken for a key and not for a name."""


def find_texts(blob: bytes) -> tuple[BlobHit, ...]:
    """Paths, e-mail addresses and secrets in a file, by offset. Their text is masked to its kind and length."""
    hits = [
        *_matches(blob, "path", _PATHS, "file path"),
        *_matches(blob, "e-mail", (_EMAIL,), "e-mail address"),
        *(hit for name, pattern in _SECRETS.items() for hit in _matches(blob, "secret", (pattern,), name)),
        *_dense_words(blob),
    ]
    return tuple(sorted(hits, key=lambda hit: (hit.offset, hit.kind, hit.detail)))


def _matches(
    blob: bytes, kind: Literal["path", "e-mail", "secret"], patterns: tuple[bytes, ...], name: str
) -> Iterator[BlobHit]:
    starts = {match.start(): len(match[0]) for pattern in patterns for match in re.finditer(pattern, blob)}
    for start, length in starts.items():
        yield BlobHit(kind=kind, offset=start, detail=f"{name}, {length} characters")


def _dense_words(blob: bytes) -> Iterator[BlobHit]:
    """Long words with the entropy of keys rather than of names."""
    for match in _DENSE.finditer(blob):
        word = match[0]
        hexadecimal = re.fullmatch(rb"[0-9a-f]+|[0-9A-F]+", word) is not None
        digits = sum(character in b"0123456789" for character in word)
        if _entropy(word) >= (_LEAST_HEX_BITS if hexadecimal else _LEAST_BITS) and digits >= _LEAST_DIGITS:
            yield BlobHit(kind="secret", offset=match.start(), detail=f"random-looking word, {len(word)} characters")


def _entropy(word: bytes) -> float:
    """Shannon entropy of a word's characters, in bits a character."""
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())
