"""Who made a release can neither approve it nor waive a rule for it: the policy's author, and all keys that sign it."""

from __future__ import annotations

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.verify import Trust


def authors(policy_author: str | None, trust: Trust) -> frozenset[str]:
    """Fingerprints of the keys that never count as a reviewer's.

    Args:
        policy_author: fingerprint of the policy's `human_centred.author.key`; None where it has none.
        trust: the keys that sign images, verdicts and releases. All of them are authors, whichever signed this run.
    """
    signing = (*trust.image, *trust.verdict.keys, *trust.release.keys)
    return frozenset((*map(fingerprint, signing), *((policy_author,) if policy_author else ())))


def without_authors(quorum: Quorum | None, excluded: frozenset[str]) -> Quorum | None:
    """The keys of a quorum that are nobody's who made the release; None where too few are left to reach it."""
    if quorum is None:
        return None
    try:
        return Quorum(tuple(key for key in quorum.keys if fingerprint(key) not in excluded), quorum.threshold)
    except InputError:
        return None
