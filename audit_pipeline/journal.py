"""One run's entries in the trail; a run that breaks off is entered as broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

from audit_pipeline.entries import policy_entry
from audit_pipeline.errors import AuditError, InputError
from audit_pipeline.policy_history import with_history
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.trail.entry import Entry, Receipt
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.recorded import Recorded


class Journal:
    """Appends to a trail in the name of one run.

    A context manager: entering refuses a name that the trail holds already (InputError `run.known`), leaving by an
    exception enters `aborted`. Nothing is entered before `begin`, nor where that refuses the name: an `aborted` would
    be the other run's, whose release the gate would then take for one that nobody has.
    """

    def __init__(self, trail: Trail, run: str, now: Callable[[], str]) -> None:
        self._trail = trail
        self._run = run
        self._now = now
        self._begun = False

    def begin(self, policy: PolicyPart, model_sha256: str) -> tuple[Receipt, PolicyPart]:
        """Enter the policy, which is the first entry of every run, and give it back with what was changed in it.

        Both the run's name and the policy's history are asked for in the transaction of the entry, so that of two runs
        which start at once the second sees the first.

        Raises:
            InputError: `run.known`, another run of this name began in the meantime.
            RejectedError: as `with_history`.
        """
        known = policy

        def body(recorded: Recorded) -> dict[str, Any]:
            nonlocal known
            known = with_history(policy, model_sha256, recorded)
            return policy_entry(known.to_json())

        return self._begin(body), known

    def begin_again(self, policy: PolicyPart) -> Receipt:
        """Enter the policy of a run that is decided again, as that run entered it.

        Raises:
            InputError: `run.known`.
        """
        return self._begin(lambda _: policy_entry(policy.to_json()))

    def _begin(self, body: Callable[[Recorded], dict[str, Any]]) -> Receipt:
        def of_a_new_run(recorded: Recorded) -> dict[str, Any]:
            self._refuse_known(recorded(run=self._run))
            return body(recorded)

        receipt = self._trail.append("policy", run=self._run, at=self._now(), body=of_a_new_run)
        self._begun = True
        return receipt

    def enter(
        self, kind: Kind, body: dict[str, Any], after: Callable[[Iterator[Entry]], None] | None = None
    ) -> Receipt:
        """Append one entry and give it back with the head of the log after it; for `after` see `Trail.append`."""
        return self._trail.append(kind, run=self._run, at=self._now(), body=body, after=after)

    def __enter__(self) -> Journal:
        self._refuse_known(self._trail.entries(self._run))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None or not self._begun:
            return
        # Only the code: a message could name paths or values that do not belong in a log that is never rewritten.
        code = error.code if isinstance(error, AuditError) else type(error).__name__
        if not code.startswith("trail."):
            self.enter("aborted", {"code": code})
            return
        # An entry may be on record though no checkpoint of it could be signed: a seal of which nobody has the image
        # would stand in the way of older releases.
        with suppress(AuditError):
            self.enter("aborted", {"code": code})

    def _refuse_known(self, entries: Iterator[Entry]) -> None:
        if any(True for _ in entries):
            raise InputError(
                "run.known",
                f"the trail holds a run named {self._run} already, and two could not be told apart",
                hint="give another --run, or another --trail",
            )
