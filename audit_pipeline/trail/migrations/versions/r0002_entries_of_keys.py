"""Entries of kind `keys`. No table changes: the revision tells an older tool that it does not know every entry here."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing but the new revision."""
