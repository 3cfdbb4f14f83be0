"""What a parser did with an input: the codes of its refusals, and whether an error is fit to be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from audit_pipeline.errors import AuditError

_CODE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_VARIABLE = re.compile(r"[0-9a-fx]*[0-9][0-9a-fx…]*|'[^']*'|\"[^\"]*\"", re.DOTALL)
_SKELETON = 100

Value = TypeVar("Value")


class Wrong(Exception):  # noqa: N818 - a finding, not a failure of the fuzzer
    """An input was accepted that must not be, or refused in a way that cannot be shown."""


class Watch:
    """Asks readers, and remembers how they refused."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.longest_message = 0
        self.refusal: str | None = None
        """Code of the last refusal; None where what was asked last was not refused."""
        self._known: set[tuple[str, str]] = set()
        self._news = False

    def ask(self, read: Callable[[], Value]) -> Value | None:
        """What a reader makes of an input; None where it refuses it.

        Raises:
            Wrong: the refusal's code or text is not fit to be shown.
            Exception: whatever else the reader raises, which is a finding.
        """
        self.refusal = None
        try:
            return read()
        except AuditError as error:
            self._note(error)
            return None

    def took_news(self) -> bool:
        """Whether anything was refused in a new way since this was last asked."""
        news, self._news = self._news, False
        return news

    def _note(self, error: AuditError) -> None:
        self.refusal = error.code
        self.codes[error.code] += 1
        text = f"{error}\n{error.hint}"
        self.longest_message = max(self.longest_message, len(text))
        require(_CODE.fullmatch(error.code) is not None, f"the code {error.code!r} is no code")
        require(
            all(line.isprintable() for line in text.split("\n")), f"{error.code} shows what no terminal should print"
        )
        feature = error.code, _VARIABLE.sub("#", error.what[:_SKELETON])
        if feature not in self._known:
            self._known.add(feature)
            self._news = True


def require(holds: bool, what: str) -> None:
    """Hold a property of an answer.

    Raises:
        Wrong: it does not hold.
    """
    if not holds:
        raise Wrong(what)
