"""Where a trail is kept, and the key that signs its checkpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

KEY_VARIABLE = "AUDIT_LOG_KEY"
"""The environment variable by which the command line is told where a log's key is."""

_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/@:]*):.*(?=@)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A trail's address with its key. Whatever takes an `Address` takes the address alone as well."""

    url: str = field(repr=False)
    """a file, `sqlite:///PATH`, or `postgresql://…`"""
    key: Path | None = None
    """private key file of the log; None for `PATH.key` beside an SQLite file"""

    @classmethod
    def of(cls, address: Address) -> Self:
        """The place that an address names; a `Place` is one already."""
        if isinstance(address, Place):
            return cls(address.url, address.key)
        return cls(str(address))

    def __str__(self) -> str:
        """The address as messages show it, without a password and without options, which may hold one."""
        # The password first: one that was not encoded may hold a question mark.
        shown = _PASSWORD.sub(r"\g<user>", self.url)
        return shown.partition("?")[0] if "://" in shown else shown


Address = str | Path | Place
"""How a trail is named: its file, its URL, or either with the log's key."""
