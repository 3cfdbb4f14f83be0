"""DSSE envelopes (github.com/secure-systems-lab/dsse, protocol and envelope v1) signed with Ed25519.

securesystemslib makes the envelope and the bytes that are signed. Reading is done here, because its
`Envelope.from_dict` empties its argument, accepts two base64 alphabets and counts one key under two key ids as two
signers. A key id is only a hint (DSSE protocol, "keyid"): what counts is how many distinct public keys signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.key_forms import SIGNER, SIGNER_PUBLIC, fingerprint, require_key
from audit_pipeline.seal.strict_json import strict_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_MAX_SIGNATURES = 64


def sign(payload: bytes, signer: Ed25519PrivateKey) -> bytes:
    """An envelope around exactly these bytes, as canonical JSON; the key id is the key's fingerprint."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

    key = require_key(signer, SIGNER)
    public = SSlibKey.from_crypto(key.public_key(), keyid=fingerprint(key.public_key()))
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key, public))
    return canonical_json(envelope.to_dict())


def verify(envelope: bytes, public_keys: Iterable[Ed25519PublicKey], *, threshold: int = 1, where: str) -> bytes:
    """The payload, byte for byte as it was signed, if enough of these keys signed it.

    Args:
        envelope: the envelope's JSON.
        public_keys: the keys that are trusted; a key that is listed twice is one key.
        threshold: how many distinct keys must have signed.
        where: name of the envelope for messages, such as its file name.

    Raises:
        RejectedError: `attestation.json`, `attestation.envelope`, `attestation.payload-type`, `attestation.base64` or
            `attestation.signature`.
        InputError: `attestation.threshold`, which these keys could never reach, or `keys.wrong-kind`.
    """
    from securesystemslib.dsse import Envelope

    trusted = {require_key(key, SIGNER_PUBLIC).public_bytes_raw(): key for key in public_keys}
    if not 1 <= threshold <= len(trusted):
        raise InputError(
            "attestation.threshold", f"{threshold} signatures can never come from {len(trusted)} distinct keys"
        )
    payload, signatures = _open(envelope, where)
    message = Envelope(payload, PAYLOAD_TYPE, {}).pae()
    signers = {raw for raw, key in trusted.items() if any(_holds(key, signature, message) for signature in signatures)}
    if len(signers) < threshold:
        raise RejectedError(
            "attestation.signature",
            f"{len(signers)} of the trusted keys signed this attestation, {threshold} must",
            where=where,
            hint="check that this is the attestation of this run and that the right public key was given",
        )
    return payload


def _open(envelope: bytes, where: str) -> tuple[bytes, list[bytes]]:
    document = strict_json(envelope, code="attestation.json", where=where)
    if not isinstance(document, dict) or set(document) != {"payload", "payloadType", "signatures"}:
        raise _malformed("it does not have exactly payload, payloadType and signatures", where)
    if document["payloadType"] != PAYLOAD_TYPE:
        raise RejectedError("attestation.payload-type", f"payloadType is not {PAYLOAD_TYPE}", where=where)
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


def _holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _malformed(what: str, where: str) -> RejectedError:
    return RejectedError("attestation.envelope", f"not a DSSE envelope of this tool: {what}", where=where)
