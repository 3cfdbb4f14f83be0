"""The Simple Verification Result (in-toto attestation predicate `svr` v0.1): what passed, for generic policy engines.

It says in a few words that somebody verified an artefact and which properties held, without what was measured. An
engine that knows nothing of verdicts can demand, say, `AUDIT_FAIRNESS_PASS` of a model or an image.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.seal.statement import Subject, make_statement

SVR_TYPE = "https://in-toto.io/attestation/svr/v0.1"

VERIFIER = "https://audit-pipeline.dev/verifier/v1"
"""Names the logic by which properties are verified; another number when that logic changes."""


def svr_payload(
    subjects: Sequence[Subject], *, created: str, properties: Sequence[str], policy: str, policy_sha256: str
) -> bytes:
    """The payload of the attestation.

    Args:
        subjects: what was verified.
        created: when, UTC, ISO 8601.
        properties: what held, each a name with the prefix `AUDIT_`.
        policy: name of the policy that was held against it; with its digest an extension that the predicate allows.
        policy_sha256: digest of that policy's file.

    Raises:
        ValueError: no subject or no property.
    """
    if not properties:
        raise ValueError("a result in which nothing was verified is none")
    return make_statement(
        subjects,
        SVR_TYPE,
        {
            "verifier": {"id": VERIFIER, "policy": {"name": policy, "digest": {"sha256": policy_sha256}}},
            "timeCreated": created,
            "properties": list(properties),
        },
    )
