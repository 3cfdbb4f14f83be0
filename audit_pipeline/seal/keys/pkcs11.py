"""A signer whose key never leaves its token: a smart card, an HSM, or SoftHSM for a rehearsal (PKCS#11 v3.1).

P-256 signs by CKM_ECDSA over the digest, Ed25519 by CKM_EDDSA over the message, where the token can. The public key is
the token's public object beside the private one. A session is opened for each signature: runs take hours, and tokens
close sessions that idle. The PIN comes by the same way as a passphrase.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from audit_pipeline.errors import AuditError, InputError, ToolError
from audit_pipeline.seal.keys.forms import SignerPublic
from audit_pipeline.seal.keys.pkcs11_uri import TokenKey, parse_uri
from audit_pipeline.seal.keys.signer import Signer

if TYPE_CHECKING:
    from pkcs11.types import Session

_P256_PARAMETERS = bytes.fromhex("06082a8648ce3d030107")
"""OBJECT IDENTIFIER secp256r1 (RFC 5480 section 2.1.1.1)."""
_ED25519_PARAMETERS = (bytes.fromhex("06032b6570"), bytes.fromhex("130c656477617264733235353139"))
"""OBJECT IDENTIFIER of RFC 8410, or PrintableString edwards25519 (PKCS#11 v3.1 section 6.3.5)."""

_P256_POINT_BYTES = 65
_COORDINATE_BYTES = 32
_DER_HEADER_BYTES = 2


def load_token_signer(uri: str, pin: bytes) -> Signer:
    """A signer by a `pkcs11:` URI. Logs in once, so that a wrong PIN shows before any work.

    Raises:
        InputError: `signer.uri`, `signer.uri-pin`, `signer.no-library`, `signer.module`, `signer.no-token`,
            `signer.no-key`, `signer.ambiguous`, `signer.wrong-pin`, `signer.pin-locked` or `signer.key-type`.
        ToolError: `signer.token`, where the token fails; the signer itself raises that too.
    """
    key = parse_uri(uri)
    with _session(key, pin) as session:
        public = _public_key(session, key)
        _one_object(session, key, private=True)
    return Signer(public, lambda given: _sign(key, pin, public, given))


def load_token_public(uri: str) -> SignerPublic:
    """The public key of a signer in a token, read without its PIN. Raises as `load_token_signer` does."""
    key = parse_uri(uri)
    with _session(key, None) as session:
        return _public_key(session, key)


def check_token_uri(uri: str) -> None:
    """Check what can be checked without talking to the token: the URI, python-pkcs11, and that the library exists.

    Raises:
        InputError: `signer.uri`, `signer.uri-pin`, `signer.no-library` or `signer.module`.
    """
    key = parse_uri(uri)
    _library()
    if not key.module.is_file():
        raise _module_refused(key)


def _sign(key: TokenKey, pin: bytes, public: SignerPublic, given: bytes) -> bytes:
    from pkcs11 import Mechanism

    with _session(key, pin) as session:
        private = _one_object(session, key, private=True)
        if isinstance(public, Ed25519PublicKey):
            return bytes(private.sign(given, mechanism=Mechanism.EDDSA))
        raw = bytes(private.sign(given, mechanism=Mechanism.ECDSA))
    if len(raw) != 2 * _COORDINATE_BYTES:
        raise ToolError("signer.token", f"the token gave a P-256 signature of {len(raw)} bytes", where=key.where)
    return encode_dss_signature(
        int.from_bytes(raw[:_COORDINATE_BYTES], "big"), int.from_bytes(raw[_COORDINATE_BYTES:], "big")
    )


@contextlib.contextmanager
def _session(key: TokenKey, pin: bytes | None) -> Iterator[Session]:
    """A session with the token, logged in where a PIN is given; what goes wrong in it is told in our words."""
    library = _library()
    text = _pin_text(pin, key)
    try:
        open_module(key.module)
        loaded = library.lib(str(key.module))
    except (OSError, library.PKCS11Error):
        raise _module_refused(key) from None
    try:
        serial = key.serial.encode() if key.serial is not None else None
        token = loaded.get_token(token_label=key.token, token_serial=serial)
        with token.open(user_pin=text) as session:
            yield session
    except library.PKCS11Error as error:
        raise _told(library, error, key) from None


def open_module(module: Path) -> None:
    """Load a token's library so that it finds its own cryptography first, before python-pkcs11 opens it again.

    TensorFlow brings a BoringSSL whose functions have the names of OpenSSL's. Once it is in a process, a library that
    was loaded the usual way calls into it with OpenSSL's structures, and the process dies.

    Raises:
        OSError: the file is no library.
    """
    ctypes.CDLL(str(module), mode=os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))


def _pin_text(pin: bytes | None, key: TokenKey) -> str | None:
    """The PIN as python-pkcs11 takes it; PKCS#11 has it in UTF-8 (CK_UTF8CHAR)."""
    try:
        return pin.decode() if pin is not None else None
    except UnicodeDecodeError:
        raise InputError("signer.wrong-pin", "a token's PIN is UTF-8, and this one is not", where=key.where) from None


def _library() -> Any:
    try:
        import pkcs11
    except ImportError:
        raise InputError(
            "signer.no-library",
            "a key in a token needs python-pkcs11, which is not installed",
            hint="pip install 'audit-pipeline[pkcs11]'",
        ) from None
    return pkcs11


def _told(library: Any, error: Exception, key: TokenKey) -> AuditError:
    where = key.where
    if isinstance(error, (library.PinIncorrect, library.PinInvalid, library.PinLenRange)):
        hint = "mind that a token locks itself after a few wrong ones"
        return InputError("signer.wrong-pin", "the token refuses this PIN", where=where, hint=hint)
    if isinstance(error, (library.PinLocked, library.PinExpired)):
        hint = "unlock it with the security officer's PIN, by the maker's own tool"
        return InputError("signer.pin-locked", "the token's PIN is locked or expired", where=where, hint=hint)
    if isinstance(error, (library.NoSuchToken, library.TokenNotPresent)):
        hint = "see which there are: pkcs11-tool --module MODULE --list-token-slots"
        return InputError("signer.no-token", "there is no such token", where=where, hint=hint)
    if isinstance(error, library.MultipleTokensReturned):
        return _ambiguous("token", "serial", where)
    return ToolError(
        "signer.token",
        f"the token failed ({type(error).__name__})",
        where=where,
        hint="check that the token is in place and may sign with this kind of key",
    )


def _one_object(session: Session, key: TokenKey, *, private: bool) -> Any:
    from pkcs11 import Attribute, ObjectClass

    wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY if private else ObjectClass.PUBLIC_KEY}
    if key.label is not None:
        wanted[Attribute.LABEL] = key.label
    if key.key_id is not None:
        wanted[Attribute.ID] = key.key_id
    found = list(session.get_objects(wanted))
    name = "private key" if private else "public key"
    if not found:
        hint = "the pair needs one label and id: pkcs11-tool --module MODULE --list-objects"
        raise InputError("signer.no-key", f"the token shows no such {name}", where=key.where, hint=hint)
    if len(found) > 1:
        raise _ambiguous(name, "id", key.where)
    return found[0]


def _public_key(session: Session, key: TokenKey) -> SignerPublic:
    from pkcs11 import Attribute

    shown = _one_object(session, key, private=False)
    try:
        curve, point = bytes(shown[Attribute.EC_PARAMS]), bytes(shown[Attribute.EC_POINT])
        if curve == _P256_PARAMETERS:
            return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _bare(point, _P256_POINT_BYTES))
        if curve in _ED25519_PARAMETERS:
            return Ed25519PublicKey.from_public_bytes(_bare(point, _COORDINATE_BYTES))
    except (_library().PKCS11Error, ValueError):
        pass
    raise InputError(
        "signer.key-type",
        "the key in the token is neither Ed25519 nor P-256",
        where=key.where,
        hint="make one there: pkcs11-tool --keypairgen --key-type EC:prime256v1",
    )


def _bare(point: bytes, size: int) -> bytes:
    """A point out of the OCTET STRING that PKCS#11 puts it in and some tokens leave away; the length tells which."""
    return point[_DER_HEADER_BYTES:] if len(point) == size + _DER_HEADER_BYTES else point


def _module_refused(key: TokenKey) -> InputError:
    return InputError(
        "signer.module",
        "this is no PKCS#11 library that can be loaded",
        where=str(key.module),
        hint="check module-path",
    )


def _ambiguous(what: str, attribute: str, where: str) -> InputError:
    return InputError(
        "signer.ambiguous", f"more than one {what} fits this URI", where=where, hint=f"add {attribute}= to it"
    )
