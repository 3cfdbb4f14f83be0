"""A clock that goes back: nothing is recorded out of time, until somebody says that the earlier clock was wrong."""

from __future__ import annotations

import pytest

from audit_pipeline.errors import RejectedError, ToolError

NEWEST = "2026-05-04T12:00:00Z"


@pytest.fixture
def dated(trail):
    trail.append("data", run="run", at=NEWEST, body={})
    return trail


@pytest.mark.parametrize(
    "at",
    [NEWEST, "2026-05-04T11:55:00Z", "2026-05-04T11:55:00.5+00:00", "2026-05-04T12:00:01Z", "2099-01-01T00:00:00Z"],
)
def test_clocks_may_differ_by_five_minutes(dated, at):
    assert dated.append("data", run="run", at=at, body={}).entry.at == at


@pytest.mark.parametrize("at", ["2026-05-04T11:54:59Z", "2026-05-04T11:54:59.999999Z", "1970-01-01T00:00:00Z"])
def test_a_clock_that_is_further_behind_is_refused_and_nothing_is_recorded(dated, at):
    with pytest.raises(ToolError) as refusal:
        dated.append("data", run="run", at=at, body={})
    assert refusal.value.code == "trail.clock"
    assert at in refusal.value.what
    assert NEWEST in refusal.value.what
    assert "audit log clock" in refusal.value.hint
    assert dated.verify().size == 1


def test_it_is_the_newest_entry_that_counts_and_not_the_latest_time(dated):
    dated.append("data", run="run", at="2026-05-04T11:56:00Z", body={})
    dated.append("data", run="run", at="2026-05-04T11:52:00Z", body={})
    with pytest.raises(ToolError):
        dated.append("data", run="run", at="2026-05-04T11:46:00Z", body={})


def test_once_the_clock_is_said_to_have_been_wrong_entries_go_on_from_then(dated):
    dated.append("clock", run="clock", at="2026-01-01T00:00:00Z", body={"reason": "the writer's clock ran ahead"})
    dated.append("data", run="run", at="2026-01-01T00:00:01Z", body={})
    with pytest.raises(ToolError):
        dated.append("data", run="run", at="2025-12-31T00:00:00Z", body={})
    assert dated.verify().size == 3


def test_a_newest_time_that_is_none_is_named(dated, rewrite):
    rewrite("UPDATE entry SET at = 'never'")
    with pytest.raises(RejectedError, match="entry 0 was changed"):
        dated.append("data", run="run", at=NEWEST, body={})
