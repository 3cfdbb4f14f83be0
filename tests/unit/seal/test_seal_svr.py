from __future__ import annotations

import base64
import json
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.v1 import statement as in_toto
from in_toto_attestation.v1 import statement_pb2
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import Subject
from audit_pipeline.seal.svr import SVR_TYPE, svr_payload

SUBJECTS = [Subject("firmware.bin", "ab" * 32), Subject("model.tflite", "cd" * 32)]


def payload() -> bytes:
    return svr_payload(
        SUBJECTS,
        created="2026-05-04T12:00:00Z",
        properties=["AUDIT_VERDICT_PASS", "AUDIT_FAIRNESS_PASS"],
        policy="fair",
        policy_sha256="ef" * 32,
    )


def test_it_has_what_the_predicate_asks_for() -> None:
    statement = json.loads(payload())
    assert statement["predicateType"] == "https://in-toto.io/attestation/svr/v0.1" == SVR_TYPE
    predicate = statement["predicate"]
    assert predicate["verifier"]["id"].startswith("https://")
    assert predicate["verifier"]["policy"] == {"name": "fair", "digest": {"sha256": "ef" * 32}}
    assert datetime.fromisoformat(predicate["timeCreated"]).utcoffset() is not None
    assert predicate["properties"] == ["AUDIT_VERDICT_PASS", "AUDIT_FAIRNESS_PASS"]


def test_in_toto_takes_it_for_a_statement() -> None:
    found = json_format.Parse(payload(), statement_pb2.Statement())
    in_toto.Statement.copy_from_pb(found).validate()


def test_securesystemslib_verifies_the_envelope() -> None:
    private = Ed25519PrivateKey.generate()
    document = json.loads(dsse.sign(payload(), [Signer.of(private)]))
    key = CryptoSigner(private).public_key
    envelope = Envelope.from_dict(json.loads(json.dumps(document)))
    # The library looks for a signature by its own key id, which is none of the bytes that count.
    for signature in envelope.signatures.values():
        key.keyid = signature.keyid
    assert envelope.verify([key], 1)
    assert base64.b64decode(document["payload"]) == payload()


def test_a_result_without_a_property_is_none() -> None:
    with pytest.raises(ValueError, match="nothing was verified"):
        svr_payload(SUBJECTS, created="2026-05-04T12:00:00Z", properties=[], policy="fair", policy_sha256="ef" * 32)
