"""trust.yaml: altered as text, and mostly signed again by the roots, so that more than the signature is read."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import AnyPublic, fingerprint, spki
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.envelope import PAYLOAD_TYPE, envelope_path
from audit_pipeline.seal.trust.load import load_trust
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.samples import ed25519, p256, x25519
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require
from benchmarks.fuzz.yaml_edits import edit_yaml

_NOW = "2026-06-01T00:00:00Z"
_ROOTS = tuple(Signer.of(key) for key in (ed25519("root one"), p256("root two"), ed25519("root three")))
_FORMER = Signer.of(ed25519("former"))
_PUBLIC: dict[str, AnyPublic] = {
    **{f"root-{number}": signer.public for number, signer in enumerate(_ROOTS)},
    **{name: ed25519(name).public_key() for name in ("image-2025", "verdict-1", "former", "approver-1", "approver-2")},
    **{name: p256(name).public_key() for name in ("image-2026", "release-1", "release-2")},
    "device": x25519("device").public_key(),
}
_ROLES = """
roles:
  root: {keys: [root-0, root-1, root-2], threshold: 2}
  image:
    keys: [image-2025, image-2026]
    threshold: 1
  verdict: {keys: [verdict-1], threshold: 1}
  release: {keys: [release-1, release-2], threshold: 2}
  waiver: {keys: [approver-1, approver-2], threshold: 2}
revoked:
  - fingerprint: FORMER
    at: 2026-01-01T00:00:00Z
    reason: lost with a lap-top
"""
_OF_FORM = (
    *("alias", "documents", "duplicate-key", "empty", "invalid", "key", "missing-key", "not-utf8", "syntax", "tag"),
    *("too-deep", "too-large", "unknown-key", "yaml-version"),
)
_OF_ROLES = (
    *("one-key-twice", "revoked-twice", "unknown-name", "name-twice", "wrong-kind", "revoked", "until-in-quorum"),
    *("threshold", "two-roles"),
)


def target() -> Target:
    """Whatever the file says, it is believed only with enough signatures of pinned roots over these very bytes."""
    beyond = {
        "trust.no-root",
        "trust.unsigned",
        "trust.unreadable",
        "trust.not-a-root",
    }  # of the reader, not of the file
    documented = codes_of(["trust.load", "trust.envelope"]) - beyond
    documented |= {f"trust.{kind}" for kind in (*_OF_FORM, *_OF_ROLES)}
    return Target(_samples(), edit, _judge, documented)


def edit(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Edits of any YAML, and of names and times that mean something here."""
    chance = draw.random()
    if chance < 0.6:
        return edit_yaml(draw, data, others)
    if chance < 0.62:
        return data + data.rpartition(b"revoked:\n")[2]
    names = [name.encode() for name in (*_PUBLIC, "ed25519", "p256", "x25519", "FORMER")]
    times = [b"2026-01-01T00:00:00Z", b"2027-01-01T00:00:00Z", b"2026-12-31T23:59:59Z", b"0001-01-01T00:00:00Z"]
    numbers = [
        b"threshold: 1",
        b"threshold: 2",
        b"threshold: 3",
        b"serial: 12",
        b"serial: 0",
        b"version: 1",
        b"version: 2",
    ]
    prints = [fingerprint(key).encode() for key in _PUBLIC.values()]
    words = draw.choice((names, times, numbers, prints, [base64.b64encode(spki(key)) for key in _PUBLIC.values()]))
    present = [word for word in words if word in data] or [b":"]
    return _replaced(draw, data, draw.choice(present), draw.choice(words))


def _replaced(draw: Random, data: bytes, old: bytes, new: bytes) -> bytes:
    """One word replaced wherever it stands, or in one place."""
    parts = data.split(old)
    if draw.random() < 0.3:
        return new.join(parts)
    at = draw.randrange(len(parts))
    return old.join(parts[:at]) + (new if at > 0 else b"") + old.join(parts[at:])


@cache
def _samples() -> tuple[bytes, ...]:
    keys = "".join(
        f"  {name}:\n    kind: {kind}\n    public: {base64.b64encode(spki(_PUBLIC[name])).decode()}\n{more}"
        for name, kind, more in (
            *(("root-0", "ed25519", ""), ("root-1", "p256", ""), ("root-2", "ed25519", '    note: "in the safe"\n')),
            *(("image-2025", "ed25519", "    until: 2026-12-31T23:59:59Z\n"), ("image-2026", "p256", "")),
            *(("verdict-1", "ed25519", ""), ("release-1", "p256", ""), ("release-2", "p256", "")),
            *(("device", "x25519", ""), ("former", "ed25519", "")),
            *(("approver-1", "ed25519", ""), ("approver-2", "ed25519", "")),
        )
    )
    roles = _ROLES.replace("FORMER", fingerprint(_PUBLIC["former"]))
    full = f"version: 1\nname: wearable\nserial: 12\nexpires: 2027-01-01T00:00:00Z\nkeys:\n{keys.rstrip()}{roles}"
    head, pairs = full[: full.index("  root-0")], keys.split("  root-1")[0]
    roles = "".join(f"  {role}: {{keys: [root-0], threshold: 1}}\n" for role in ("root", "image", "verdict", "release"))
    small = f"{head}{pairs}roles:\n{roles}"
    return full.encode(), full.replace("2027", "2026").encode(), *(small.encode(),) * 4


@cache
def _file() -> Path:
    return Path(tempfile.mkdtemp(prefix="audit-fuzz-"), "trust.yaml")


def _judge(watch: Watch, data: bytes) -> None:
    path = _file()
    path.write_bytes(data)
    chance = int(sha256_hex(data)[:2], 16)
    envelope_path(path).write_bytes(_envelope(data, chance))
    pinned = tuple(signer.public for signer in (_ROOTS[:1] if data.count(b"kind:") < 4 else _ROOTS))
    file = watch.ask(lambda: load_trust(path, pinned, _NOW))
    if file is None:
        return
    require(chance >= _FORGED, "a trust file is believed that its roots did not sign")
    watch.ask(file.trust)


_FORGED = 48


def _envelope(data: bytes, chance: int) -> bytes:
    """Mostly the roots' own; else of another file, by too few, of another type, or none at all."""
    if chance >= _FORGED:
        return dsse.sign(data, _ROOTS, payload_type=PAYLOAD_TYPE)
    match chance % 4:
        case 0:
            return dsse.sign(data + b"\n", _ROOTS, payload_type=PAYLOAD_TYPE)
        case 1:
            return dsse.sign(data, [_FORMER], payload_type=PAYLOAD_TYPE)
        case 2:
            return dsse.sign(data, _ROOTS)
    return b" " * (1 << 21) + b"{}" if chance == 3 else data
