"""The end of the log, and how one more entry is put there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.trail.entry import Entry, Receipt
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.merkle import EMPTY_ROOT, Frontier
from audit_pipeline.trail.rows import ENTER, GROW, columns, end_row
from audit_pipeline.trail.verification import changed, read_frontier

CLOCK_TOLERANCE_SECONDS = 300
"""By how much an entry may be dated before the newest one: clocks of several writers differ."""


@dataclass(frozen=True)
class End:
    """Where the next entry goes."""

    frontier: Frontier
    newest_at: str | None
    """when the newest entry was recorded, by its writer's clock; None in an empty log"""
    where: str
    """the trail, for messages"""

    @classmethod
    def read(cls, connection: Connection, where: str) -> End:
        """The end as it is recorded.

        Raises:
            RejectedError: `trail.frontier`, the last entry and the tree do not fit each other.
        """
        row = end_row(connection)
        frontier = read_frontier(row, where)
        last = row if row is not None and row["index"] is not None else None
        recorded = (last["index"], last["root"]) if last is not None else (-1, EMPTY_ROOT.hex())
        if recorded != (frontier.size - 1, frontier.root().hex()):
            raise RejectedError(
                "trail.frontier",
                "the last entry and the tree disagree, so nothing may be added",
                where=where,
                hint="`audit log verify` names the first entry that was changed",
            )
        return cls(frontier, last["at"] if last is not None else None, where)

    def append(self, connection: Connection, kind: Kind, run: str, at: str, body: dict[str, Any]) -> Receipt:
        """Write an entry, and the tree with it.

        Args:
            connection: within the transaction that this was read in.
            kind: of the entry, as the others.
            run: the run it belongs to.
            at: the time now.
            body: what it says.

        Raises:
            InputError: `trail.entry`, a value cannot be logged.
            ToolError: `trail.clock`, it is dated well before the newest entry.
        """
        entry = Entry.compose(self.frontier.size, kind, run, at, body)
        if kind != "clock":
            self._refuse_earlier(at)
        grown, completed = self.frontier.append(entry.leaf_hash), self.frontier.completed(entry.leaf_hash)
        head = grown.head()
        ENTER.run(connection, columns(entry, head, completed))
        GROW.run(connection, {"size": grown.size, "peaks": grown.to_hex()})
        return Receipt(entry, head)

    def _refuse_earlier(self, at: str) -> None:
        if self.newest_at is None:
            return
        try:
            behind = datetime.fromisoformat(self.newest_at) - datetime.fromisoformat(at)
        except (ValueError, TypeError) as error:
            raise changed(self.frontier.size - 1, f"column at says {self.newest_at!r}", self.where) from error
        if behind.total_seconds() > CLOCK_TOLERANCE_SECONDS:
            raise ToolError(
                "trail.clock",
                f"this clock says {at}, and the newest entry was recorded at {self.newest_at}: it would not have been",
                where=self.where,
                hint="set the clock; where the earlier one was wrong, `audit log clock --reason …` enters that, and "
                "entries go on from this time",
            )
