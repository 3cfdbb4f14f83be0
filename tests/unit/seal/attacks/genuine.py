"""Genuine material, from which every attack starts: two runs of one maker, one of another, and who has which key."""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
import struct
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from forge import Pieces, area, take_apart
from shipped import Run, Says, Suite, ship
from wrapping import ctr, wrap, wrap_with_secret

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.ecies import unwrap
from audit_pipeline.seal.keys.forms import RecipientPrivate, SignerPrivate, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.verify import Companions, Trust

NOW = "2026-11-23T12:00:00Z"


@dataclass(frozen=True)
class Presented:
    """What somebody puts in front of the verifier."""

    image: bytes
    companions: Companions
    trust: Trust
    recipient: RecipientPrivate
    now: str = NOW

    def but(self, **changed: Any) -> Presented:
        """The same with other parts."""
        return dataclasses.replace(self, **changed)


@dataclass(frozen=True)
class Genuine:
    """Everything that stands around one device."""

    suite: Suite
    run: Run
    """Today's."""
    older: Run
    """Of the same maker for the same device: a lower counter, another model, another policy."""
    stranger: Run
    """Another maker's, for the same device: anybody may encrypt for it."""
    former: SignerPrivate
    """A key that the maker has rotated out."""
    second: Signer
    """Another key that the maker trusts."""
    other_device: RecipientPrivate

    @classmethod
    @cache
    def of(cls, suite: Suite) -> Genuine:
        """The material of a suite, made once."""
        signer, device = Signer.of(suite.signing_key()), suite.device_key()
        return cls(
            suite,
            ship(suite, signer, device),
            ship(suite, signer, device, number=2, counter=6),
            ship(suite, Signer.of(suite.signing_key()), device, number=3),
            suite.signing_key(),
            Signer.of(suite.signing_key()),
            suite.device_key(),
        )

    @cached_property
    def pieces(self) -> Pieces:
        """Today's image, taken apart."""
        return take_apart(self.run.image)

    @cached_property
    def older_pieces(self) -> Pieces:
        """The older image, taken apart."""
        return take_apart(self.older.image)

    @property
    def wrapping(self) -> int:
        """Type of the TLV that holds the wrapped key."""
        return 0x33 if self.suite.encryption == "x25519" else 0x32

    @property
    def ephemeral(self) -> bytes:
        """Today's ephemeral public key."""
        return self.pieces.value(self.wrapping)[: self._ephemeral_bytes]

    @property
    def _ephemeral_bytes(self) -> int:
        return 32 if self.suite.encryption == "x25519" else 65

    def shows(self, **changed: Any) -> Presented:
        """Today's run with some of it replaced; parts of companions go by their own names."""
        run = self.run
        genuine = {"release": run.release, "verdict": run.verdict, "policy": run.policy, "model": run.model}
        companions = Companions(**{name: changed.pop(name, value) for name, value in genuine.items()})
        trust = Trust.one(run.signer.public)
        return Presented(run.image, companions, trust, run.recipient).but(**changed)

    def with_ephemeral(self, ephemeral: bytes) -> bytes:
        """Today's image with another ephemeral key, the rest of the wrapping as it is."""
        at = self._ephemeral_bytes
        return self.pieces.changed(self.wrapping, lambda value: ephemeral + value[at:]).whole()

    def wrapped_with_zero_secret(self, ephemeral: bytes) -> bytes:
        """Another model under an AES key that everybody can derive, where a reader accepts this point."""
        key = bytes(self.suite.aes_bits // 8)
        pieces = self.pieces.changed(self.wrapping, lambda _: wrap_with_secret(key, ephemeral, bytes(32)))
        return pieces.but(payload=ctr(key, bytes(len(pieces.payload)))).whole()

    def encrypted_anew(
        self, model: bytes, *, fill: bytes = b"\x00", recipient: RecipientPrivate | None = None
    ) -> bytes:
        """Today's image with its payload replaced, encrypted for a device under a key of the attacker."""
        key = secrets.token_bytes(self.suite.aes_bits // 8)
        payload = ctr(key, model + fill * (-len(model) % 16))
        value = wrap(key, (recipient or self.run.recipient).public_key())
        return self.pieces.changed(self.wrapping, lambda _: value).but(payload=payload).whole()

    def clear(self, image: bytes) -> bytes:
        """An image with its payload decrypted in place: what the device would look at."""
        try:
            return decrypted(image, self.run.recipient)
        except RejectedError:
            # The device could unwrap no key: what would be there under today's.
            return _with_payload_under(image, _aes_key(self.run.image, self.run.recipient))

    def signed_anew(self, pieces: Pieces, plain: bytes) -> bytes:
        """These pieces around a plain payload, hashed, signed by the maker's key and encrypted as they should be."""
        header = take_apart(pieces.but(payload=plain).whole()).header
        digest = sha256(header + plain + area(0x6908, pieces.protected)).digest()
        signature = 0x24 if self.suite.signature == "ed25519" else 0x22
        key = secrets.token_bytes(self.suite.aes_bits // 8)
        return (
            pieces.changed(0x10, lambda _: digest)
            .changed(signature, lambda _: self.run.signer.sign_hash(digest))
            .changed(self.wrapping, lambda _: wrap(key, self.run.recipient.public_key()))
            .but(payload=ctr(key, plain))
            .whole()
        )

    def resigned(self, key: SignerPrivate) -> bytes:
        """Today's image signed by another key of the same algorithm, and naming it."""
        signer = Signer.of(key)
        signature = 0x24 if self.suite.signature == "ed25519" else 0x22
        pieces = self.pieces.changed(signature, lambda _: signer.sign_hash(self.pieces.value(0x10)))
        return pieces.changed(0x01, lambda _: bytes.fromhex(fingerprint(signer.public))).whole()

    def sealed_under(self, **said: Any) -> Presented:
        """A run that the maker's own key sealed under a verdict that says something else."""
        run = ship(self.suite, self.run.signer, self.run.recipient, says=Says(**said))
        return self.shows(image=run.image, release=run.release, verdict=run.verdict)

    def signed_attestation(self) -> tuple[bytes, bytes]:
        """The message that the signature of today's release signs (DSSE's PAE), and that signature."""
        document = json.loads(self.run.release)
        payload, kind = base64.b64decode(document["payload"]), document["payloadType"].encode()
        message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        return message, base64.b64decode(document["signatures"][0]["sig"])

    def needing_two(self) -> Trust:
        """Trust in which each attestation needs two of two keys."""
        both = Quorum((self.run.signer.public, self.second.public), threshold=2)
        return Trust(image=(self.run.signer.public,), verdict=both, release=both)

    def with_roles(self, *, verdict: Signer | None = None, release: Signer | None = None) -> Trust:
        """Trust in which a role has a key of its own."""
        own = self.run.signer
        return Trust(
            image=(own.public,),
            verdict=Quorum(((verdict or own).public,)),
            release=Quorum(((release or own).public,)),
        )


def decrypted(image: bytes, recipient: RecipientPrivate) -> bytes:
    """An image with its payload decrypted in place, all else as it is.

    Raises:
        RejectedError: the recipient cannot unwrap its key.
    """
    return _with_payload_under(image, _aes_key(image, recipient))


def _aes_key(image: bytes, recipient: RecipientPrivate) -> bytes:
    return unwrap(read(image).wrapped, recipient)


def _with_payload_under(image: bytes, aes_key: bytes) -> bytes:
    """AES-CTR over what the header says is the payload, as far as it is there."""
    if len(image) < 32:
        return image
    start, size = struct.unpack_from("<H", image, 8)[0], struct.unpack_from("<I", image, 12)[0]
    payload = image[start : start + size]
    return image[:start] + ctr(aes_key, payload) + image[start + len(payload) :]


def raw_ecdsa(der: bytes) -> bytes:
    """An ECDSA signature as r ‖ s, 32 bytes each."""
    return b"".join(part.to_bytes(32) for part in decode_dss_signature(der))
