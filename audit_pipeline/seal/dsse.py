"""DSSE envelopes (github.com/secure-systems-lab/dsse, protocol and envelope v1), signed by Ed25519 or P-256 keys.

securesystemslib makes the envelope and the bytes that are signed. Reading is done here, because its
`Envelope.from_dict` empties its argument, accepts two base64 alphabets and counts one key under two key ids as two
signers. A key id is only a hint (DSSE protocol, "keyid"): what counts is how many distinct public keys signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import cache
from typing import Any

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint, kind_of
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer, signature_holds, to_sign
from audit_pipeline.seal.strict_json import LARGEST_BYTES, strict_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_MAX_SIGNATURES = 64


def sign(payload: bytes, signers: Sequence[Signer], *, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """An envelope around exactly these bytes, as canonical JSON; a key id is the key's fingerprint.

    Raises:
        InputError: `attestation.threshold`, nobody signs; or `attestation.too-large`, `verify` would not read it.
        ToolError: a signer failed (see `Signer.sign`).
    """
    if not signers:
        raise InputError("attestation.threshold", "an attestation needs somebody who signs it")
    message = _pae(payload, payload_type)
    envelope = canonical_json(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [
                {"keyid": fingerprint(signer.public), "sig": base64.b64encode(signer.sign(message)).decode()}
                for signer in signers
            ],
        }
    )
    if len(envelope) > LARGEST_BYTES:
        raise InputError(
            "attestation.too-large", f"it would be larger than {LARGEST_BYTES >> 20} MiB, and nobody reads it"
        )
    return envelope


def verify(envelope: bytes, quorum: Quorum, *, where: str, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The payload, byte for byte as it was signed, if enough of these keys signed it.

    Args:
        envelope: the envelope's JSON.
        quorum: the keys that are trusted, and how many of them must have signed.
        where: name of the envelope for messages, such as its file name.
        payload_type: what the envelope must say that it holds.

    Raises:
        RejectedError: `attestation.json`, `attestation.envelope`, `attestation.payload-type`, `attestation.base64` or
            `attestation.signature`.
    """
    payload, signatures = _open(envelope, payload_type, where)
    message = _pae(payload, payload_type)
    given = cache(lambda kind: to_sign(kind, message))  # hashed once, however many P-256 keys there are

    def signed_by(key: SignerPublic) -> bool:
        return any(signature_holds(key, signature, given(kind_of(key))) for signature in signatures)

    signed = quorum.signed_by(signed_by)
    if signed < quorum.threshold:
        raise RejectedError(
            "attestation.signature",
            f"{signed} of the trusted keys signed this attestation, {quorum.threshold} must",
            where=where,
            hint="check that this is the attestation of this run and that the right public key was given",
        )
    return payload


def unverified_payload(envelope: bytes, *, where: str) -> bytes:
    """What an envelope holds, whoever signed it or nobody: to learn of what it speaks, never to believe it.

    Raises:
        RejectedError: as `verify`, but for `attestation.signature`.
    """
    return _open(envelope, PAYLOAD_TYPE, where)[0]


def merged(envelopes: Sequence[bytes], *, where: str) -> bytes:
    """One envelope with the signatures of several over one payload, each signature once.

    Args:
        envelopes: one or more.
        where: their place, for messages.

    Raises:
        RejectedError: as `verify`, but for `attestation.signature`; `attestation.envelope` also where they do not
            hold the same payload.
    """
    first, *others = [strict_json(envelope, code="attestation.json", where=where) for envelope in envelopes]
    if len({unverified_payload(envelope, where=where) for envelope in envelopes}) > 1:
        raise _malformed("several payloads in one", where)
    signatures = list(first["signatures"])
    for other in others:
        signatures += [item for item in other["signatures"] if item not in signatures]
    return canonical_json({**first, "signatures": signatures})


def _pae(payload: bytes, payload_type: str) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding."""
    from securesystemslib.dsse import Envelope

    encoded: bytes = Envelope(payload, payload_type, {}).pae()
    return encoded


def _open(envelope: bytes, payload_type: str, where: str) -> tuple[bytes, list[bytes]]:
    document = strict_json(envelope, code="attestation.json", where=where)
    if not isinstance(document, dict) or set(document) != {"payload", "payloadType", "signatures"}:
        raise _malformed("it does not have exactly payload, payloadType and signatures", where)
    if document["payloadType"] != payload_type:
        raise RejectedError("attestation.payload-type", f"payloadType is not {payload_type}", where=where)
    items = document["signatures"]
    if not isinstance(items, list) or not 1 <= len(items) <= _MAX_SIGNATURES:
        raise _malformed(f"signatures is not a list of 1 to {_MAX_SIGNATURES}", where)
    return _base64(document["payload"], "payload", where), [_signature(item, where) for item in items]


def _signature(item: Any, where: str) -> bytes:
    match item:
        case {"keyid": str(), "sig": sig, **more} if not more:
            return _base64(sig, "sig", where)
    raise _malformed("a signature does not have exactly keyid and sig", where)


def _base64(text: Any, name: str, where: str) -> bytes:
    """Decode the one standard encoding of some bytes; any other text that decodes to them is refused."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise RejectedError("attestation.base64", f"{name} is not canonical standard base64", where=where)
    return data


def _malformed(what: str, where: str) -> RejectedError:
    return RejectedError("attestation.envelope", f"not a DSSE envelope of this tool: {what}", where=where)
