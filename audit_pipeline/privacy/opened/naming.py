"""How the parts of a file are named in evidence without giving away what they are called."""

from __future__ import annotations

import re

from audit_pipeline.privacy.texts import find_texts

_PLAIN = re.compile(r"[\w./:;,@+ -]{1,80}")


def told(name: bytes, place: int) -> str:
    """A part's own name where that is a plain one, else its place: a name can be the leak that was found."""
    text = name.decode(errors="replace")
    return f"'{text}'" if _PLAIN.fullmatch(text) and not find_texts(name) else str(place)
