from __future__ import annotations

import gc
import warnings

import pytest

from audit_pipeline.errors import AuditError, RejectedError
from audit_pipeline.trail.entry import Entry


@pytest.fixture
def strict():
    """Whatever is dropped while it is still open is told when it is collected."""
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        yield told
        gc.collect()
    assert [str(each.message) for each in told] == []


def test_a_log_that_does_not_hold_leaves_no_cursor_behind(strict, filled, rewrite):
    rewrite('UPDATE entry SET leaf_hash = root WHERE "index" = 3')
    kept = []
    for verify in (filled.verify, filled.verified):
        with pytest.raises(RejectedError) as caught:
            verify()
        kept.append(caught)
    filled.close()
    kept.clear()


def test_whoever_stops_reading_leaves_no_cursor_behind(strict, filled):
    entries = filled.entries()
    next(entries)
    entries.close()
    filled.close()


def test_an_entry_that_cannot_be_read_leaves_no_cursor_behind(strict, filled, rewrite):
    rewrite("UPDATE entry SET canonical = 'x' WHERE \"index\" = 3")
    with pytest.raises(RejectedError) as caught:
        list(filled.entries())
    filled.close()
    del caught


def test_a_check_that_stops_an_append_leaves_no_cursor_behind(strict, filled):
    def first_only(entries):
        entry: Entry = next(entries)
        raise AuditError("test.stopped", entry.run)

    with pytest.raises(AuditError, match=r"run-0") as caught:
        filled.append("data", run="r", at="2026-05-04T12:00:00Z", body={}, after=first_only)
    filled.close()
    del caught
