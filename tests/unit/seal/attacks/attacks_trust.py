"""The trust file: whoever can change it decides whose signatures count, so it is judged by keys from elsewhere."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from attack import Attacker, Family, Judgement, View
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from genuine import NOW, Genuine

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint, kind_of, spki
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.envelope import PAYLOAD_TYPE, envelope_path
from audit_pipeline.seal.trust.file import read_trust
from audit_pipeline.seal.trust.load import load_trust
from audit_pipeline.trust_memory import Remembered, require_newest

TRUST = Family("trust file")


@dataclass(frozen=True)
class _Keys:
    """Three roots, of which two must sign; a key for everything else; the attacker's own."""

    roots: tuple[Signer, Signer, Signer]
    release: Signer
    attacker: Signer


@cache
def _keys() -> _Keys:
    one, two, three, release, attacker = (Signer.of(Ed25519PrivateKey.generate()) for _ in range(5))
    return _Keys((one, two, three), release, attacker)


def _text(
    keys: dict[str, Signer] | None = None,
    *,
    root: str = "{keys: [root-1, root-2, root-3], threshold: 2}",
    release: str = "{keys: [release], threshold: 1}",
    more: str = "",
    expires: str = "2027-06-01T00:00:00Z",
    serial: int = 5,
) -> str:
    """A trust file, written as a person would."""
    named = {f"root-{number}": key for number, key in enumerate(_keys().roots, 1)} | {"release": _keys().release}
    lines = ["version: 1", "name: wearable", f"serial: {serial}", f"expires: {expires}", "keys:"]
    for name, key in (named | (keys or {})).items():
        public = base64.b64encode(spki(key.public)).decode()
        lines += [f"  {name}:", f"    kind: {kind_of(key.public)}", f"    public: {public}"]
    lines += ["roles:", f"  root: {root}", "  image: {keys: [release], threshold: 1}"]
    lines += ["  verdict: {keys: [release], threshold: 1}", f"  release: {release}", more]
    return "\n".join(lines).rstrip() + "\n"


def _ask(text: str, *signers: Signer, over: str | None = None, roots: tuple[Signer, ...] | None = None) -> Judgement:
    """Load a trust file that these signed (over another text, where one is given); nobody: there is no envelope."""

    def ask() -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trust.yaml")
            path.write_text(text)
            if signers:
                payload = (over or text).encode()
                envelope_path(path).write_bytes(dsse.sign(payload, signers, payload_type=PAYLOAD_TYPE))
            pinned = tuple(root.public for root in roots or _keys().roots)
            return load_trust(path, pinned, NOW)

    return ask


def _enter(name: str, hope: str, code: str, judgement: Judgement, by: Attacker = Attacker.NOBODY) -> None:
    @TRUST.attack(hope, code=code, view=View.TRUST, by=by, name=name)
    def present(_: Genuine) -> Judgement:
        return judgement


def _signed(**changed: Any) -> Judgement:
    """A trust file with something in it changed, which enough roots signed."""
    return _ask(_text(**changed), *_keys().roots[:2])


def genuine_trust() -> Judgement:
    """What every one of these attacks starts from: it holds."""
    return _signed()


_ROOTS, _ATTACKER = _keys().roots, _keys().attacker
_OWN = _text({"root-1": _ATTACKER}, root="{keys: [root-1], threshold: 1}")

_enter("leave the trust file unsigned", "a file in the repository is trusted as it is", "trust.unsigned", _ask(_text()))
_enter(
    "sign the trust file with a root of the attacker's",
    "the file names its own roots",
    "trust.root-not-pinned",
    _ask(_OWN, _ATTACKER),
    Attacker.STRANGER,
)
_enter(
    "put another key among the pinned roots",
    "the file's roots sign for each other",
    "trust.signature",
    _ask(_text({"extra": _ATTACKER}, root="{keys: [root-1, root-2, extra], threshold: 2}"), _ROOTS[0], _ATTACKER),
    Attacker.INSIDER,
)
_enter(
    "lower the threshold with one stolen root",
    "the file itself says that one is enough",
    "trust.signature",
    _ask(_text(root="{keys: [root-1, root-2, root-3], threshold: 1}"), _ROOTS[0]),
    Attacker.INSIDER,
)
_enter(
    "sign the trust file twice with one root",
    "one root counts as two",
    "trust.signature",
    _ask(_text(), _ROOTS[0], _ROOTS[0]),
    Attacker.INSIDER,
)
_enter(
    "change the trust file after it was signed",
    "signatures of the file as it was",
    "trust.other-bytes",
    _ask(_text(serial=6), *_ROOTS[:2], over=_text()),
)
_enter(
    "add a comment to the signed trust file",
    "the same values, other bytes",
    "trust.other-bytes",
    _ask(_text() + "# fine\n", *_ROOTS[:2], over=_text()),
)
_enter(
    "replay a trust file that has expired",
    "the key that was stolen since is still in it",
    "trust.expired",
    _signed(expires="2026-11-01T00:00:00Z"),
)
_enter(
    "name a revoked key in a role",
    "revoked in one place, trusted in another",
    "trust.revoked",
    _signed(
        more=f"revoked:\n  - {{fingerprint: {fingerprint(_keys().release.public)}, at: 2026-11-01T00:00:00Z, "
        "reason: stolen}"
    ),
    Attacker.FORMER,
)
_enter(
    "give one key two names",
    "one key reaches a threshold of two",
    "trust.one-key-twice",
    _signed(keys={"again": _keys().release}, release="{keys: [release, again], threshold: 2}"),
    Attacker.INSIDER,
)
_enter(
    "name one key twice in a role",
    "one name reaches a threshold of two",
    "trust.name-twice",
    _signed(release="{keys: [release, release], threshold: 2}"),
    Attacker.INSIDER,
)
_enter(
    "set a threshold that no keys reach",
    "a release that nobody can sign is one that nobody checks",
    "trust.threshold",
    _signed(release="{keys: [release], threshold: 2}"),
    Attacker.INSIDER,
)
_enter(
    "set a threshold of zero in the trust file",
    "a threshold of none is always met",
    "trust.invalid",
    _signed(release="{keys: [release], threshold: 0}"),
    Attacker.INSIDER,
)
_enter(
    "name a key that the file does not have",
    "a name that anybody may fill later",
    "trust.unknown-name",
    _signed(release="{keys: [releases], threshold: 1}"),
    Attacker.INSIDER,
)
_enter(
    "write a role of the trust file twice",
    "some readers take the first, some the last",
    "trust.duplicate-key",
    _signed(more="  release: {keys: [root-1], threshold: 1}"),
    Attacker.INSIDER,
)
_enter(
    "pin one root twice",
    "a majority of one",
    "trust.signature",
    _ask(_text(), _ROOTS[0], roots=(_ROOTS[0], _ROOTS[1], _ROOTS[1])),
    Attacker.INSIDER,
)
_enter("pin no root", "no root refuses", "trust.no-root", lambda: load_trust(Path("trust.yaml"), (), NOW))


@TRUST.attack(
    "a P-256 key counts twice, as a compressed point and as a whole one",
    code="trust.key",
    view=View.TRUST,
    by=Attacker.INSIDER,
)
def give_one_key_in_two_encodings(_: Genuine) -> Judgement:
    key = Signer.of(generate_private_key(SECP256R1()))
    text = _text({"whole": key}, release="{keys: [whole], threshold: 1}")
    whole = base64.b64encode(spki(key.public)).decode()
    return _ask(text.replace(whole, base64.b64encode(_compressed(key)).decode()), *_ROOTS[:2])


@TRUST.attack(
    "a key for which everybody can sign: its point is of small order",
    code="trust.key",
    view=View.TRUST,
    by=Attacker.INSIDER,
)
def give_a_key_of_small_order(_: Genuine) -> Judgement:
    neutral = Ed25519PublicKey.from_public_bytes((1).to_bytes(32, "little"))
    own, weak = (base64.b64encode(spki(key)).decode() for key in (_keys().release.public, neutral))
    return _ask(_text().replace(own, weak), *_ROOTS[:2])


@TRUST.attack("an older file has good signatures too", code="trust.rolled-back", view=View.TRUST)
def replay_an_older_trust_file(_: Genuine) -> Judgement:
    return _known(_text(serial=4), Remembered(5, sha256_hex(_text().encode()), None, frozenset(), 3, NOW))


@TRUST.attack("two files of one serial, each shown to some", code="trust.serial", view=View.TRUST, by=Attacker.INSIDER)
def fork_the_trust_file(_: Genuine) -> Judgement:
    other = _text(expires="2027-07-01T00:00:00Z")
    return _known(other, Remembered(5, sha256_hex(_text().encode()), None, frozenset(), 3, NOW))


@TRUST.attack(
    "a later file forgets that a key was stolen", code="trust.revocation-lost", view=View.TRUST, by=Attacker.INSIDER
)
def forget_a_revocation(_: Genuine) -> Judgement:
    stolen = frozenset({fingerprint(_keys().release.public)})
    return _known(_text(serial=6), Remembered(5, "0" * 64, None, stolen, 3, NOW))


def _known(text: str, known: Remembered) -> Judgement:
    """Show a trust file to a trail that knows another."""

    def ask() -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trust.yaml")
            path.write_text(text)
            return require_newest(read_trust(path), known)

    return ask


def _compressed(signer: Signer) -> bytes:
    """A P-256 key as SubjectPublicKeyInfo with a compressed point (RFC 5480 section 2.2)."""
    if not isinstance(signer.public, EllipticCurvePublicKey):
        raise TypeError("a P-256 key has this form")
    point = signer.public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = spki(signer.public)[2:23]
    bits = b"\x03" + bytes([len(point) + 1]) + b"\x00" + point
    return b"\x30" + bytes([len(algorithm) + len(bits)]) + algorithm + bits
