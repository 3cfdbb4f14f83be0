"""An old file in place of the new one, with or without what the log's key remembers, and then perhaps gone on with."""

from __future__ import annotations

from functools import partial

from forger import Forger
from rewrite import Family
from story import index, story

RESTORED = Family("restore")

_ALL = len(story())
_LATER = {"kind": "verdict", "run": "later", "at": "2026-05-25T12:00:00Z", "body": {"outcome": "PASS"}}
_SIZES = {
    "before anything": 0,
    "with one entry": 1,
    "before the first failure": index("findings", "spring"),
    "before the loosened policy": index("policy", "summer"),
    "before the waiver": index("waiver", "summer"),
    "before the incidents": index("incident", "autumn"),
    "before the revocation": index("revocation", "autumn"),
    "before the last entry": _ALL - 1,
}


def _restored(forger: Forger, *, size: int, memory: bool) -> None:
    forger.restore(size, memory=memory)


def _gone_on(forger: Forger, *, size: int, length: int) -> None:
    forger.restore(size, memory=True)
    forger.append(*[_LATER] * (length - size))


for _words, _size in _SIZES.items():
    RESTORED.enter(f"a file {_words}", partial(_restored, size=_size, memory=False))
    RESTORED.enter(f"a file {_words}, and the key's memory of that day", partial(_restored, size=_size, memory=True))
    for _length in (_ALL, _ALL + 5):
        RESTORED.enter(f"a file {_words}, gone on with to {_length}", partial(_gone_on, size=_size, length=_length))
