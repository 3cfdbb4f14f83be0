"""What is decided by entries of a run or a kind is decided by those that were hashed, however the database answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, check_log
from audit_pipeline.trail.merkle import TreeHead

AT = "2026-05-04T12:00:00Z"


def test_it_has_the_entries_that_are_recorded(filled: Trail) -> None:
    filled.append("incident", "run-1", AT, {"reason": "one"})
    log = filled.verified()
    assert log.head == filled.head()
    for run in (None, "run-0", "run-1", "nobody's"):
        for kind in (None, "data", "incident", "seal"):
            assert [*log.entries(run, kind)] == [*filled.entries(run, kind)]


def test_what_comes_later_is_not_in_it(filled: Trail) -> None:
    log = filled.verified()
    filled.append("data", "run-1", AT, {})
    assert len([*log.entries()]) == log.head.size == 11


def test_a_log_that_does_not_hold_has_none(filled: Trail) -> None:
    with pytest.raises(RejectedError) as caught:
        filled.verified(seen=[TreeHead(12, "0" * 64)])
    assert caught.value.code == "trail.rewritten"


@pytest.mark.parametrize("column", ["run", "kind"])
def test_a_column_that_is_changed_once_it_was_looked_at_hides_nothing(
    column: str, filled: Trail, rewrite: Callable[..., None]
) -> None:
    log = check_log(filled, LogTrust())
    rewrite(f"UPDATE entry SET {column} = 'another' WHERE \"index\" = 3")
    assert [entry.index for entry in log.entries("run-1", "data")] == [1, 3, 5, 7, 9]


@pytest.mark.parametrize(
    "change",
    ['DELETE FROM entry WHERE "index" = 3', "UPDATE entry SET canonical = replace(canonical, '3', '4')"],
    ids=["deleted", "another text"],
)
def test_an_entry_that_is_exchanged_once_it_was_looked_at_is_named(
    change: str, filled: Trail, rewrite: Callable[..., None]
) -> None:
    log = filled.verified()
    rewrite(change)
    with pytest.raises(RejectedError) as caught:
        list(log.entries("run-1"))
    assert caught.value.code == "trail.entry-changed"
