"""Reviewers with their keys, and their statements as entries of a trail that is only a list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.people.approval import APPROVAL_TYPE, Approval
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.signed_entry import sign_entry

RUN, OTHER_RUN = "2026-05-04-a", "2026-05-04-b"
VERDICT, OTHER_VERDICT = "11" * 32, "22" * 32
MODEL, POLICY = "aa" * 32, "bb" * 32
NOW = "2026-05-04T12:00:00Z"


@cache
def signer(name: str) -> Signer:
    """The same key for the same name; the doctor's is a P-256 key."""
    return Signer.of(generate_private_key(SECP256R1()) if name == "doctor" else Ed25519PrivateKey.generate())


def entries_of(*bodies: tuple[Kind, dict[str, Any]], run: str = RUN) -> Sequence[Entry]:
    return [Entry.compose(index, kind, run, NOW, body) for index, (kind, body) in enumerate(bodies)]


def approval_body(
    by: str, role: str = "clinical-safety", *, run: str = RUN, verdict: str = VERDICT, **changed: Any
) -> dict[str, Any]:
    values: dict[str, Any] = {"run": run, "role": role, "reason": "read the report", "at": NOW, "email_sha256": None}
    payload = run_payload(APPROVAL_TYPE, Approval(**values | changed), verdict_sha256=verdict, model_sha256=MODEL)
    return sign_entry(payload, signer(by), APPROVAL_TYPE)
