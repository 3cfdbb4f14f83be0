from __future__ import annotations

from typing import Any

import pytest

from audit_pipeline.ephemeral_keys import require_unused
from audit_pipeline.errors import ToolError
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry

KEY, OTHER = "0a" * 32, "0b" * 32


def part(ephemeral: str | None) -> SealPart:
    digest = "a" * 64
    return SealPart(
        image_sha256=digest,
        image_bytes=1,
        version="1.0.0",
        security_counter=2,
        signer=digest,
        recipient=digest,
        verdict_sha256=digest,
        ephemeral=ephemeral,
    )


def seal(run: str, **body: Any) -> Entry:
    return Entry.compose(3, "seal", run, "2026-01-01T00:00:00Z", body)


def test_a_key_of_its_own_is_needed() -> None:
    require_unused([seal("first", ephemeral=OTHER), seal("old")], part(KEY))


def test_a_key_that_comes_again_is_refused() -> None:
    with pytest.raises(ToolError) as caught:
        require_unused([seal("first", ephemeral=OTHER), seal("second", ephemeral=KEY)], part(KEY))
    assert (caught.value.code, caught.value.where) == ("seal.ephemeral-reused", "entry 3 of the trail")
    assert "run second" in caught.value.what


def test_releases_from_before_keys_were_entered_are_not_compared() -> None:
    require_unused([seal("old"), seal("older", ephemeral=None)], part(None))
