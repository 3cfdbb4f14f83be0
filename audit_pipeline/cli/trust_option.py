"""`--signer KEY` | `--trust FILE --root KEY …`: whose signatures a command believes. One of the two, never both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from audit_pipeline.errors import InputError
from audit_pipeline.trail.place import Address

if TYPE_CHECKING:
    from audit_pipeline.seal.keys.forms import SignerPublic
    from audit_pipeline.seal.trust.schema import TrustDocument
    from audit_pipeline.seal.verify import Trust

SignerOption = Annotated[
    Path | None, typer.Option("--signer", help="The one public key that must have signed everything.")
]
TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="A signed trust file instead, with keys and thresholds by role; needs --root."),
]
"""beside `SignerOption`"""
PeopleTrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="The signed trust file, which says who may approve and waive; needs --root."),
]
"""where no single key would do"""
RootOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--root", help="Public root key that must have signed the trust file, from elsewhere than it; once for each."
    ),
]


@dataclass(frozen=True)
class TrustFileCheck:
    """What was looked at of a trust file, told like the checks of an image."""

    state: Literal["passed", "not-checked"]
    """`not-checked` where no trail was asked whether there is a newer one"""
    what: str
    name: str = "trust-file"


@dataclass(frozen=True)
class Believed:
    """Whose signatures count, and what was checked to find out."""

    trust: Trust
    checks: tuple[TrustFileCheck, ...] = ()
    """none for a key that was simply given"""
    document: TrustDocument | None = None
    """the trust file, where one was given"""


def read_trust_options(
    signer: Path | None, trust: Path | None, roots: list[Path] | None, *, trail: Address | None, now: str
) -> Believed:
    """Whom to believe.

    Args:
        signer: the one public key.
        trust: a trust file.
        roots: root keys that vouch for the trust file.
        trail: the audit trail, which may know a newer trust file, or that the one key was revoked. Without one, an
            older file is believed until it expires; everything else is checked just the same.
        now: the time, ISO 8601, UTC.

    Raises:
        InputError: `trust.choose`, not exactly one of the two; or a key or the trust file cannot be used.
        RejectedError: the trust file is not vouched for, has expired, or is older than one that the trail knows; or
            the trail knows the one key as revoked.
    """
    from audit_pipeline.seal.keys.load import load_signer_public
    from audit_pipeline.seal.verify import Trust

    if signer is not None and trust is None and not roots:
        return Believed(Trust.one(_given_key(signer, trail)))
    if signer is not None or trust is None:
        raise InputError(
            "trust.choose",
            "whose signatures count must be said in one way",
            hint="give --signer KEY, or --trust FILE with --root KEY",
        )
    # The trail brings a database along, slower to import than an image is to verify.
    from audit_pipeline.seal.trust.load import load_trust
    from audit_pipeline.trust_memory import recall, require_newest

    loaded = load_trust(trust, tuple(map(load_signer_public, roots or ())), now)
    file = loaded.document
    said = f"{file.name}, serial {file.serial}, signed by the roots, good until {file.expires}"
    if trail is None:
        unasked = TrustFileCheck("not-checked", f"{said}; no --trail to know a newer one")
        return Believed(loaded.trust(), (unasked,), file)
    require_newest(loaded.file, recall(trail, file.name))
    return Believed(loaded.trust(), (TrustFileCheck("passed", f"{said}; the trail knows no newer one"),), file)


def read_trust_file(trust: Path | None, roots: list[Path] | None, *, trail: Address, now: str) -> Believed:
    """Whom to believe, for a command that takes no single key. Parameters as of `read_trust_options`.

    Raises:
        InputError: `trust.choose`, none was given; or as `read_trust_options`.
        RejectedError: as `read_trust_options`.
    """
    if trust is None:
        raise InputError("trust.choose", "no trust file was given", hint="give --trust FILE with --root KEY")
    return read_trust_options(None, trust, roots, trail=trail, now=now)


def _given_key(signer: Path, trail: Address | None) -> SignerPublic:
    """The one key; where there is a trail, it must not know it as revoked."""
    from audit_pipeline.seal.keys.forms import fingerprint
    from audit_pipeline.seal.keys.load import load_signer_public

    key = load_signer_public(signer)
    if trail is not None:
        from audit_pipeline.trust_memory import require_unrevoked

        require_unrevoked(trail, fingerprint(key))
    return key
