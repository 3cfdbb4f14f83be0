"""DSSE envelopes: by one signer and by quorums, over payloads of either type."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from random import Random

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.json_edits import edit_json
from benchmarks.fuzz.key_edits import edit_der
from benchmarks.fuzz.samples import ed25519, p256
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SIGNERS = (Signer.of(ed25519("one")), Signer.of(p256("two")), Signer.of(ed25519("three")), Signer.of(p256("four")))
_STRANGERS = (Signer.of(ed25519("stranger")), Signer.of(p256("stranger")))
_QUORUMS = tuple(Quorum(tuple(signer.public for signer in _SIGNERS), threshold) for threshold in (1, 2, 3))
_PAYLOADS = (
    b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":1},"predicateType":"t","subject":[]}',
    b"version: 1\n",
    b"",
    bytes(range(256)),
)
_TYPES = (dsse.PAYLOAD_TYPE, "application/vnd.audit.trust+yaml")


def target() -> Target:
    """Whatever an envelope looks like, what comes out of it is a payload that was signed."""
    samples = tuple(
        dsse.sign(payload, signers, payload_type=kind)
        for payload in _PAYLOADS
        for kind in _TYPES
        for signers in (_SIGNERS[:1], _SIGNERS[1:2], _SIGNERS[:2], _SIGNERS, _STRANGERS)
    )
    # Of the signer's and the reader's own keys, and of what is about to be signed.
    documented = codes_of(["dsse"]) - {"attestation.threshold", "attestation.too-large"}
    return Target(samples, _alter, _judge, documented)


def _alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    if draw.random() < 0.75:
        return edit_json(draw, data, others)
    try:
        document = json.loads(data)
        signature = draw.choice(document["signatures"])
        signature["sig"] = _edit_signature(draw, signature["sig"], draw.choice(others))
        return json.dumps(document).encode()
    except (ValueError, TypeError, LookupError, RecursionError):
        return edit_json(draw, data, others)


def _edit_signature(draw: Random, text: str, other: bytes) -> str:
    """The other signature of the same message that ECDSA has, sloppy DER, or a signature of something else."""
    signature = base64.b64decode(text)
    match draw.randrange(4):
        case 0:
            taken: str = draw.choice(json.loads(other)["signatures"])["sig"]
            return taken
        case 1:
            signature = edit_der(draw, signature)
        case 2:
            r, s = decode_dss_signature(signature)
            pairs = ((r, _P256_ORDER - s), (r, s + _P256_ORDER), (0, s), (r, 0), (-r, s), (r + _P256_ORDER, s), (s, r))
            signature = encode_dss_signature(*draw.choice(pairs))
        case _:
            signature = draw.choice((bytes(64), b"\xff" * 64, signature + b"\0", signature[:-1], b"", signature * 2))
    return base64.b64encode(signature).decode()


def _judge(watch: Watch, data: bytes) -> None:
    quorum, kind = _QUORUMS[len(data) % len(_QUORUMS)], _TYPES[b"trust+yaml" in data]
    payload = watch.ask(lambda: dsse.verify(data, quorum, where="envelope", payload_type=kind))
    require(payload is None or payload in _PAYLOADS, "a payload that nobody signed is accepted")
