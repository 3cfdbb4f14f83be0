"""The keys of signed notes: a log's and a witness's, as words that people can copy.

Two kinds: Ed25519 over the text (type 0x01, logs), and the timestamped cosignature/v1 of C2SP tlog-cosignature (type
0x04, witnesses). Keys are told apart by their bytes: a name is whatever its owner likes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC
from audit_pipeline.seal.keys.public_key import read_spki
from audit_pipeline.trail.note import KEY_ID_BYTES, Note, NoteSignature, check_name
from audit_pipeline.trail.strict_base64 import decode, encode

ED25519 = 0x01
"""Signature type of a log's key: Ed25519 over the text (C2SP signed-note, "Ed25519 signatures")."""
COSIGNATURE = 0x04
"""Signature type of a witness's key: time and Ed25519 over time and text (C2SP tlog-cosignature)."""

_KEY_BYTES = 32
_SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the key in a SubjectPublicKeyInfo (RFC 8410 section 4)."""
_TIME_BYTES = 8
_MAX_TIME = (1 << 63) - 1
_KINDS = (ED25519, COSIGNATURE)
_PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True)
class NoteKey:
    """A key that signatures are checked with, and the name it goes by.

    Raises:
        ValueError: a name that no line could hold, a type that is not known, or not 32 bytes.
    """

    name: str
    public: bytes
    """Ed25519, 32 bytes (RFC 8032)"""
    kind: int = ED25519
    """`ED25519` or `COSIGNATURE`"""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in _KINDS:
            raise ValueError(f"signature type 0x{self.kind:02x} is not known")
        if len(self.public) != _KEY_BYTES:
            raise ValueError(f"an Ed25519 key has {_KEY_BYTES} bytes, not {len(self.public)}")

    @classmethod
    def parse(cls, vkey: str, *, where: str | None = None) -> Self:
        """Read a verifier key: `name+hex(key id)+base64(type ‖ public key)`.

        Raises:
            InputError: `note.vkey`.
        """
        try:
            name, key_id, blob = _key_parts(vkey)
            key = cls(name, blob[1:], blob[0])
            if key.key_id.hex() != key_id:
                raise ValueError(f"its key id is {key.key_id.hex()}, and it says {key_id!r}")
            # Refuses a second encoding of a point, and points whose signatures everybody can make.
            read_spki(_SPKI + key.public, SIGNER_PUBLIC, where=vkey)
        except (ValueError, InputError) as error:
            raise InputError(
                "note.vkey",
                f"this is no verifier key: {error}",
                where=where,
                hint="give NAME+ID+KEY in one word, as `audit log show` and the witness print it",
            ) from error
        return key

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key) (C2SP signed-note, "Signatures")."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:KEY_ID_BYTES]

    def to_vkey(self) -> str:
        """The key as one word, to be given to whoever checks."""
        return f"{self.name}+{self.key_id.hex()}+{encode(bytes([self.kind]) + self.public)}"

    def names(self, signature: NoteSignature) -> bool:
        """Whether a line claims to be this key's."""
        return signature.name == self.name and signature.key_id == self.key_id

    def holds(self, text: str, signature: NoteSignature) -> bool:
        """Whether a signature over a note's text is this key's."""
        message, given = text.encode(), signature.signature
        if self.kind == COSIGNATURE:
            seconds, given = int.from_bytes(given[:_TIME_BYTES]), given[_TIME_BYTES:]
            if not 0 < seconds <= _MAX_TIME:
                return False
            message = _cosigned(seconds, text)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(given, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def verified(note: Note, keys: Iterable[NoteKey], *, where: str | None = None) -> tuple[NoteKey, ...]:
    """Which of the keys signed a note, each once by its bytes, in the order they were given.

    Lines of keys that are not among them say nothing and are passed over.

    Raises:
        RejectedError: `note.signature`, a line claims to be of one of the keys, and is not.
    """
    signed: dict[bytes, NoteKey] = {}
    for key in keys:
        lines = [signature for signature in note.signatures if key.names(signature)]
        if not all(key.holds(note.text, line) for line in lines):
            raise RejectedError(
                "note.signature",
                f"a signature that names the key {key.name!r} is not that key's over this text",
                where=where,
                hint="the text or the signature was changed: treat the note as hostile",
            )
        if lines:
            signed.setdefault(key.public, key)
    return tuple(signed.values())


class NoteSigner:
    """A private key with its name. Never shows it but by `to_skey`."""

    def __init__(self, name: str, private: Ed25519PrivateKey, kind: int = ED25519) -> None:
        """A signer of one kind.

        Raises:
            ValueError: as `NoteKey`.
        """
        self._private = private
        self.key = NoteKey(name, private.public_key().public_bytes_raw(), kind)

    @classmethod
    def generate(cls, name: str, kind: int = ED25519) -> Self:
        """A signer with a new key from the system's randomness.

        Raises:
            ValueError: as `NoteKey`.
        """
        return cls(name, Ed25519PrivateKey.generate(), kind)

    @classmethod
    def parse(cls, skey: str, *, where: str | None = None) -> Self:
        """Read a signer key: `PRIVATE+KEY+name+hex(key id)+base64(type ‖ 32-byte seed)`.

        Raises:
            InputError: `note.skey`. No message repeats any of it.
        """
        try:
            if not skey.startswith(_PRIVATE):
                raise ValueError("it does not begin as one")
            name, key_id, blob = _key_parts(skey.removeprefix(_PRIVATE))
            signer = cls(name, Ed25519PrivateKey.from_private_bytes(blob[1:]), blob[0])
            if signer.key.key_id.hex() != key_id:
                raise ValueError("its key id is not that of its key")
        except ValueError as error:
            # Not chained: the cause may hold the key in its frames' text.
            raise InputError(
                "note.skey",
                f"this is no private key of a log or witness: {error}",
                where=where,
                hint="a log's key is made with its trail, a witness's by `audit log witness new`; keys that sign "
                "images are others",
            ) from None
        return signer

    def to_skey(self) -> str:
        """The private key as one word: for its file, which is nobody's but the owner's."""
        blob = encode(bytes([self.key.kind]) + self._private.private_bytes_raw())
        return f"{_PRIVATE}{self.key.name}+{self.key.key_id.hex()}+{blob}"

    def sign(self, text: str, *, seconds: int = 0) -> NoteSignature:
        """Sign a note's text.

        Args:
            text: with its final newline.
            seconds: the time now, POSIX; of a cosignature only.
        """
        if self.key.kind == ED25519:
            given = self._private.sign(text.encode())
        else:
            given = seconds.to_bytes(_TIME_BYTES) + self._private.sign(_cosigned(seconds, text))
        return NoteSignature(self.key.name, self.key.key_id, given)


def _cosigned(seconds: int, text: str) -> bytes:
    """What a cosignature signs (C2SP tlog-cosignature, "Ed25519 signed message")."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _key_parts(word: str) -> tuple[str, str, bytes]:
    """Name, key id as written, and type byte with key."""
    name, _, rest = word.partition("+")
    key_id, _, blob = rest.partition("+")
    decoded = decode(blob)
    if not decoded:
        raise ValueError("it is not NAME+ID+KEY")
    return name, key_id, decoded
