"""What an entry records, and which entries keep their text for good."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "policy",
    "data",
    "model",
    "candidate",
    "findings",
    "verdict",
    "seal",
    "aborted",
    "keys",
    "approval",
    "waiver",
    "incident",
    "revocation",
    "redaction",
    "clock",
]
"""What an entry records.

One kind per stage; `aborted` for a run that ended in an error; `keys` for a trust file; `approval`, `waiver`,
`incident` and `revocation` for what a person signed about a run; `redaction` for an entry whose text was taken out;
`clock` for a correction of the writers' clock.
"""

KINDS: frozenset[str] = frozenset(get_args(Kind))

KEPT_KINDS = frozenset({"candidate", "findings", "verdict", "seal", "aborted", "keys", "redaction"})
"""Kinds of entry whose text is never taken out; see `redaction`."""
