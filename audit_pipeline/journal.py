"""One run's entries in the trail; a run that breaks off is entered as broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from audit_pipeline.errors import AuditError, InputError
from audit_pipeline.trail.entry import Entry, Kind, Receipt
from audit_pipeline.trail.log import Trail


class Journal:
    """Appends to a trail in the name of one run.

    A context manager: entering refuses a name that the trail holds already (InputError `run.known`), leaving by an
    exception enters `aborted`.
    """

    def __init__(self, trail: Trail, run: str, now: Callable[[], str]) -> None:
        self._trail = trail
        self._run = run
        self._now = now

    def enter(
        self, kind: Kind, body: dict[str, Any], after: Callable[[Iterator[Entry]], None] | None = None
    ) -> Receipt:
        """Append one entry and give it back with the head of the log after it; for `after` see `Trail.append`."""
        return self._trail.append(kind, run=self._run, at=self._now(), body=body, after=after)

    def __enter__(self) -> Journal:
        if any(True for _ in self._trail.entries(self._run)):
            raise InputError(
                "run.known",
                f"the trail holds a run named {self._run} already, and two could not be told apart",
                hint="give another --run, or another --trail",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            return
        # Only the code: a message could name paths or values that do not belong in a log that is never rewritten.
        code = error.code if isinstance(error, AuditError) else type(error).__name__
        if not code.startswith("trail."):
            self.enter("aborted", {"code": code})
