"""Text in a file that tells of the people and machines behind it: paths, hosts, e-mail addresses, secrets.

Weights look like random bytes, so every pattern asks for enough fixed or narrow characters that chance does not
make it in a file of some megabytes. Text is looked for in runs of printable characters, of one byte or of two (UTF-16).
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.privacy.hosts import find_hosts
from audit_pipeline.privacy.keys_in_text import find_keys
from audit_pipeline.privacy_part import BlobHit

_Kind = Literal["path", "host", "e-mail", "secret"]

_IN = rb"[\w.@+~%$\x80-\xff-]"
"""A character in the name of a file or folder, without spaces."""
_ROOTS = (
    rb"home|Users|root|mnt|media|tmp|var|opt|srv|data|datasets?|workspaces?|work|content|kaggle|nfs|scratch|gpfs|lustre|"
    rb"Volumes|private|dbfs|efs|export|cluster|storage|projects?|builds?|repos?|github|etc|net|afs|shared?|usr/local|"
    rb"Library|cygdrive|vagrant|app|sdcard"
)
_DATA_FILES = (
    rb"csv|tsv|xlsx?|npy|npz|parquet|feather|arrow|pkl|pickle|joblib|mat|edf|dcm|nii|wav|mp3|flac|jpe?g|png|bmp|tiff?|"
    rb"mp4|avi|tfrecords?|sqlite3?|db|ipynb|h5|hdf5|keras|tflite|ckpt|zip|tar|gz"
)
_PATHS = (
    rb"(?<![\w.])/(?:%s)/%s{2,}(?:/%s+)*" % (_ROOTS, _IN, _IN),
    rb"(?<!\w)[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings|Windows|Program Files)"
    rb"[\\/]{1,2}[\w .@+~\x80-\xff-]{2,}",
    rb"(?<!\w)[A-Za-z]:(?:\\{1,2}[\w .@+~\x80-\xff-]{3,}){2,}",
    rb"(?<!\w)[A-Za-z]:(?:/[\w.@+~\x80-\xff-]{3,}){2,}",
    rb"\bfile://[\w./@+~%-]{3,}",
    rb"(?<![\w/])~[\w-]*/%s{2,}(?: %s+)*(?:/%s{2,})+" % (_IN, _IN, _IN),
    rb"(?<![\w.])\.{1,2}/(?:%s{2,}(?: %s+)*/)+%s{2,}" % (_IN, _IN, _IN),
    rb"(?<![\w./])/?(?:%s{2,}/)+%s+\.(?:%s)\b" % (_IN, _IN, _DATA_FILES),
)
_EMAIL = rb"(?<![\w.%+-])[A-Za-z0-9][A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]{2,}\.)+[A-Za-z]{2,12}\b"
_WORDS: dict[_Kind, dict[str, re.Pattern[bytes]]] = {
    "path": {"file path": re.compile(rb"|".join(b"(?:%s)" % pattern for pattern in _PATHS))},
    "e-mail": {"e-mail address": re.compile(_EMAIL)},
}
_SHORTEST: dict[_Kind, int] = {"path": 12, "e-mail": 8}
"""Characters below which chance makes one in some megabytes of weights, unless a path begins with a longer folder."""
_WORD_OF_A_FLOAT = 4
"""Floats of about 10⁻¹⁰, as optimizers keep, have a slash or a dot for exponent: `/tmp/` comes up among them."""
_SURELY_TEXT = 24
"""Characters from which no run of such floats is taken for text: six in a row would have to be of letters only."""
_SEPARATORS = b"/\\.@"
_LEAST_RUN = 6
_PLAIN = np.zeros(256, dtype=bool)
_PLAIN[[9, 10, 13, *range(0x20, 0x7F)]] = True
_LEAD, _NEXT = (np.zeros(256, dtype=bool) for _ in range(2))
_LEAD[0xC2:0xE0], _NEXT[0x80:0xC0] = True, True
"""Bytes of UTF-8 beyond ASCII, of characters of two bytes: those of European names."""


@dataclass(frozen=True)
class _Runs:
    """The printable runs of a file, one after the other with a zero between."""

    text: bytes
    offsets: NDArray[np.int64]
    """Of each character of `text` in the file."""


def find_texts(blob: bytes, floats: Sequence[tuple[int, int]] = ()) -> tuple[BlobHit, ...]:
    """Paths, hosts, e-mail addresses and secrets in a file, by offset. Their text is masked to its kind and length.

    Args:
        blob: the file.
        floats: where tensors of float32 begin and end in it, in order. A short find in one is none if every separator
            in it is the last byte of a number.
    """
    hits = {
        BlobHit(kind=kind, offset=int(runs.offsets[start]), detail=f"{said}, {length} characters")
        for runs in _all_runs(np.frombuffer(blob, dtype=np.uint8))
        for kind, start, length, said in _finds(runs.text)
        if not _is_of_floats(runs.text[start : start + length], runs.offsets[start : start + length], floats)
    }
    return tuple(sorted(hits, key=lambda hit: (hit.offset, hit.kind, hit.detail)))


def _is_of_floats(found: bytes, offsets: NDArray[np.int64], floats: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(floats, (int(offsets[0]), sys.maxsize)) - 1
    if place < 0 or offsets[0] >= floats[place][1] or len(found) >= _SURELY_TEXT:
        return False
    separators = [offset for character, offset in zip(found, offsets, strict=True) if character in _SEPARATORS]
    return bool(separators) and all((offset - floats[place][0]) % 4 == 3 for offset in separators)


def _all_runs(flat: NDArray[np.uint8]) -> Iterator[_Runs]:
    """Runs of characters of one byte, or of UTF-8; then of two bytes the second of which is zero."""
    plain = _PLAIN[flat]
    lead = _LEAD[flat[:-1]] & _NEXT[flat[1:]]
    one_byte = plain.copy()
    one_byte[:-1] |= lead
    one_byte[1:] |= lead
    yield _runs(flat, one_byte, np.arange(len(flat)))
    wide = np.zeros(len(flat), dtype=bool)
    wide[:-1] = plain[:-1] & (flat[1:] == 0)
    for first in (0, 1):
        yield _runs(flat[first::2], wide[first::2], np.arange(first, len(flat), 2))


def _runs(flat: NDArray[np.uint8], printable: NDArray[np.bool_], offsets: NDArray[np.int64]) -> _Runs:
    edges = np.flatnonzero(np.diff(printable, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= _LEAST_RUN
    steps = np.zeros(len(flat) + 2, dtype=np.int8)
    steps[starts[long]] = 1
    steps[ends[long] + 1] -= 1  # one more stays, as the zero behind the run
    kept = np.flatnonzero(np.cumsum(steps, dtype=np.int8)[: len(flat)])
    text = np.where(printable[kept], flat[kept], 0)
    return _Runs(text.astype(np.uint8).tobytes(), offsets[kept])


def _finds(text: bytes) -> Iterator[tuple[_Kind, int, int, str]]:
    """Kind, start, length and kind in words of every find."""
    for kind, patterns in _WORDS.items():
        for said, pattern in patterns.items():
            for match in pattern.finditer(text):
                if len(match[0]) >= _SHORTEST[kind] or match[0].find(b"/", 1) > _WORD_OF_A_FLOAT:
                    yield kind, match.start(), len(match[0]), said
    for start, length, said in find_hosts(text):
        yield "host", start, length, said
    for start, length, said in find_keys(text):
        yield "secret", start, length, said
