"""`trust.dsse.json`: root keys' signatures over a trust file's exact bytes, added one after another.

Several people sign, each with a key that never leaves them, on different days and machines. Each takes the envelope as
it is and adds a signature. One over other bytes than the file's is worth nothing any more and is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.strict_json import strict_json
from audit_pipeline.strict_yaml.loading import LARGEST_BYTES

PAYLOAD_TYPE = "application/vnd.audit.trust+yaml"

_LARGEST_BYTES = 2 * LARGEST_BYTES
"""Base64 makes four bytes of three; the rest is for signatures."""


@dataclass(frozen=True)
class Added:
    """An envelope with one more signature."""

    envelope: bytes
    dropped: int
    """Signatures that were in it and are not any more: over other bytes, or of no key of the root role."""


def envelope_path(trust_file: Path) -> Path:
    """Where a trust file's signatures are: `trust.yaml` has `trust.dsse.json` beside it."""
    return trust_file.with_name(f"{trust_file.stem}.dsse.json")


def read_envelope(trust_file: Path) -> bytes | None:
    """The envelope beside a trust file; None where there is none.

    Raises:
        InputError: `trust.unreadable`, or `trust.too-large`.
    """
    path = envelope_path(trust_file)
    try:
        if path.exists() and not path.is_file():
            raise InputError("trust.unreadable", "this is no file", where=str(path))
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError("trust.unreadable", f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(content) > _LARGEST_BYTES:
        raise InputError("trust.too-large", "larger than any trust file's envelope", where=str(path))
    return content


def open_envelope(envelope: bytes, quorum: Quorum, names: Mapping[str, str], *, where: str) -> bytes:
    """The bytes that enough of these keys signed as a trust file.

    Args:
        envelope: the signatures.
        quorum: the keys that count, and how many must have signed.
        names: what the trust file calls these keys, by fingerprint.
        where: name of the envelope for messages.

    Raises:
        RejectedError: `trust.signature`, or `trust.envelope` where it is no such envelope.
    """
    try:
        return dsse.verify(envelope, quorum, where=where, payload_type=PAYLOAD_TYPE)
    except RejectedError as error:
        if error.code != "attestation.signature":
            raise RejectedError("trust.envelope", error.what, where=where) from None
    signed = {names[fingerprint(key)]: _payload(envelope, key, where) is not None for key in quorum.keys}
    by, missing = ([name for name, has in signed.items() if has is wanted] for wanted in (True, False))
    raise RejectedError(
        "trust.signature",
        f"{len(by)} of the {quorum.threshold} root keys that must sign have signed: {', '.join(by) or 'nobody'}",
        where=where,
        hint=f"{quorum.threshold - len(by)} more of {', '.join(missing)} must: "
        "their holders run `audit keys trust sign TRUST --key KEY`",
    )


def who_signed(envelope: bytes, payload: bytes, keys: tuple[SignerPublic, ...], *, where: str) -> frozenset[str]:
    """Fingerprints of those keys whose signature over exactly this payload is in an envelope.

    Raises:
        RejectedError: `trust.envelope`.
    """
    return frozenset(fingerprint(key) for key in keys if _signed(envelope, payload, key, where))


def add_signature(
    envelope: bytes | None, payload: bytes, signer: Signer, roots: tuple[SignerPublic, ...], *, where: str
) -> Added:
    """An envelope over a trust file's bytes with one more signature.

    Args:
        envelope: what others signed so far; None for the first.
        payload: the trust file's bytes.
        signer: who signs now.
        roots: keys of the file's root role; signatures of others are not kept.
        where: name of the envelope for messages.

    Raises:
        InputError: `trust.not-a-root`, the signer's key is not in the root role.
        RejectedError: `trust.envelope`, what is there is no envelope.
        ToolError: the signer failed.
    """
    own = fingerprint(signer.public)
    if own not in map(fingerprint, roots):
        raise InputError(
            "trust.not-a-root",
            f"the key {own[:16]}… is not in the root role of this file, and its signature would count for nothing",
            where=where,
            hint="sign with a root key, or put this one into the file's root role first",
        )
    fresh = strict_json(dsse.sign(payload, [signer], payload_type=PAYLOAD_TYPE), code="trust.envelope", where=where)
    before = _signatures(envelope, roots, where) if envelope is not None else []
    earlier: dict[str, Any] = {}
    for item in before:
        alone = canonical_json({**fresh, "signatures": [item]})
        earlier |= dict.fromkeys(who_signed(alone, payload, roots, where=where), item)
    again = earlier.pop(own, None) is not None
    signatures = [*earlier.values(), *fresh["signatures"]]
    return Added(canonical_json({**fresh, "signatures": signatures}), len(before) - len(earlier) - again)


def _signed(envelope: bytes, payload: bytes, key: SignerPublic, where: str) -> bool:
    return _payload(envelope, key, where) == payload


def _payload(envelope: bytes, key: SignerPublic, where: str) -> bytes | None:
    """What a key signed as a trust file in an envelope; None where it signed nothing in it."""
    try:
        return dsse.verify(envelope, Quorum((key,)), where=where, payload_type=PAYLOAD_TYPE)
    except RejectedError as error:
        if error.code == "attestation.signature":
            return None
        raise RejectedError("trust.envelope", error.what, where=where) from None


def _signatures(envelope: bytes, roots: tuple[SignerPublic, ...], where: str) -> list[Any]:
    who_signed(envelope, b"", roots, where=where)  # refuses what is no envelope
    signatures: list[Any] = strict_json(envelope, code="trust.envelope", where=where)["signatures"]
    return signatures
