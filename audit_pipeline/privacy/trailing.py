"""What hangs behind the end of a file's format, where nobody looks."""

from __future__ import annotations

from audit_pipeline.privacy.opened.section import Section
from audit_pipeline.privacy_part import BlobHit

_ALIGNMENT = 64


def find_trailing(section: Section) -> tuple[BlobHit, ...]:
    """Bytes behind the end of the format other than zeros that align it; nothing where the end is not known."""
    if section.end is None:
        return ()
    rest = section.data[section.end :]
    if len(rest) < _ALIGNMENT and not rest.strip(b"\0"):
        return ()
    said = f"{len(rest)} bytes behind the end of the model"
    return (BlobHit(kind="trailing-bytes", offset=section.base + section.end, detail=said, where=section.name),)
