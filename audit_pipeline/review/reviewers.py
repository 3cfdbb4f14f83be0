"""Who may put their name to a run, by a believed trust file: never those who made it."""

from __future__ import annotations

from audit_pipeline.errors import InputError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.policy.schema import Policy
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.trust.listing import name_of
from audit_pipeline.seal.trust.schema import TrustDocument


def refuse_author(key: SignerPublic, policy: Policy, demands: Demands, kind: str) -> None:
    """Refuse a key of those who made the run.

    Args:
        key: that is to sign.
        policy: of the run; its author's key may be named in it.
        demands: among them the keys that sign images, verdicts and releases.
        kind: of the statement, `approval` or `waiver`: the first part of the error's code.

    Raises:
        InputError: `<kind>.author`.
    """
    own = fingerprint(key)
    if own in demands.authors(policy):
        of = "the policy's author" if own == policy.human_centred.author.key else "those who sign the release"
        raise InputError(
            f"{kind}.author",
            f"the key {own[:16]}… is of {of}: who makes a release does not agree to it",
            where="--key",
            hint="somebody else must, with a key of their own",
        )


def named(document: TrustDocument, print_: str) -> str:
    """A key as people know it: by its name in the trust file, else by the start of its fingerprint."""
    return name_of(document, print_) or f"{print_[:16]}…"
