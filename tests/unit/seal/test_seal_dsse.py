from __future__ import annotations

import base64
import contextlib
import copy
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import KeyKind, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer, to_sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer.of(KEY)
OTHER = Signer.of(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
P256 = Signer.of(derive_private_key(7, SECP256R1()))
PAYLOAD = b'{"b": 1,  "a":\xc3\xa9}\n'


def opened(envelope: bytes, *keys: Signer, threshold: int = 1) -> bytes:
    quorum = Quorum(tuple(key.public for key in keys or (SIGNER,)), threshold)
    return dsse.verify(envelope, quorum, where="test.dsse.json")


def code_of(envelope: bytes, *keys: Signer, threshold: int = 1) -> str:
    with pytest.raises(RejectedError) as caught:
        opened(envelope, *keys, threshold=threshold)
    assert caught.value.where == "test.dsse.json"
    return caught.value.code


def altered(change: Any, envelope: bytes | None = None) -> bytes:
    document = json.loads(envelope or dsse.sign(PAYLOAD, [SIGNER]))
    change(document)
    return json.dumps(document).encode()


def with_signatures(*signatures: dict[str, str]) -> bytes:
    return altered(lambda document: document.update(signatures=list(signatures)))


def signature(signer: Signer, keyid: str | None = None) -> dict[str, str]:
    made: dict[str, str] = json.loads(dsse.sign(PAYLOAD, [signer]))["signatures"][0]
    return made | ({"keyid": keyid} if keyid is not None else {})


@given(st.binary())
def test_the_payload_comes_back_byte_for_byte(payload: bytes) -> None:
    assert opened(dsse.sign(payload, [SIGNER])) == payload


def test_the_library_encodes_the_published_vector() -> None:
    # DSSE protocol.md, "Test Vectors".
    envelope = Envelope(b"hello world", "http://example.com/HelloWorld", {})
    assert envelope.pae() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_is_signed_is_the_specified_encoding() -> None:
    envelope = json.loads(dsse.sign(PAYLOAD, [SIGNER]))
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(PAYLOAD), PAYLOAD)
    SIGNER.public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)


def test_securesystemslib_verifies_our_envelope() -> None:
    envelope = json.loads(dsse.sign(PAYLOAD, [SIGNER]))
    theirs = Envelope.from_dict(copy.deepcopy(envelope))
    key = SSlibKey.from_crypto(SIGNER.public, keyid=fingerprint(SIGNER.public))
    assert set(theirs.verify([key], 1)) == {fingerprint(SIGNER.public)}
    assert theirs.payload == PAYLOAD
    stranger = SSlibKey.from_crypto(OTHER.public, keyid=fingerprint(SIGNER.public))
    with pytest.raises(VerificationError):
        theirs.verify([stranger], 1)


def test_a_stranger_s_signature_does_not_count() -> None:
    assert code_of(dsse.sign(PAYLOAD, [OTHER])) == "attestation.signature"
    assert code_of(with_signatures(signature(OTHER, fingerprint(SIGNER.public)))) == "attestation.signature"


def test_the_key_id_is_only_a_hint() -> None:
    assert opened(with_signatures(signature(SIGNER, "whatever"))) == PAYLOAD
    assert opened(with_signatures(signature(OTHER), signature(SIGNER))) == PAYLOAD


def test_one_key_under_two_key_ids_is_one_signer() -> None:
    twice = with_signatures(signature(SIGNER), signature(SIGNER, "another"))
    assert code_of(twice, SIGNER, OTHER, threshold=2) == "attestation.signature"
    assert opened(with_signatures(signature(SIGNER), signature(OTHER)), SIGNER, OTHER, threshold=2) == PAYLOAD


def test_nothing_is_signed_that_would_not_be_read() -> None:
    most = 6 * (1 << 20) - 3 * (1 << 8)
    assert opened(dsse.sign(bytes(most), [SIGNER])) == bytes(most)
    with pytest.raises(InputError) as caught:
        dsse.sign(bytes(most + 3 * (1 << 8)), [SIGNER])
    assert caught.value.code == "attestation.too-large"


@pytest.mark.parametrize(("keys", "threshold"), [((SIGNER, SIGNER), 2), ((SIGNER,), 2), ((SIGNER,), 0)])
def test_a_threshold_that_cannot_be_reached_is_an_input_error(keys: tuple[Signer, ...], threshold: int) -> None:
    with pytest.raises(InputError) as caught:
        opened(dsse.sign(PAYLOAD, [SIGNER]), *keys, threshold=threshold)
    assert caught.value.code == "attestation.threshold"


def test_a_key_of_another_kind_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        Quorum((X25519PrivateKey.generate().public_key(),))  # type: ignore[arg-type]
    assert caught.value.code == "keys.wrong-kind"


def test_an_attestation_that_nobody_signs_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        dsse.sign(PAYLOAD, [])
    assert caught.value.code == "attestation.threshold"


def test_two_kinds_of_key_make_a_quorum_together() -> None:
    both = dsse.sign(PAYLOAD, [SIGNER, P256])
    assert opened(both, SIGNER, P256, threshold=2) == PAYLOAD
    assert code_of(both, SIGNER, OTHER, threshold=2) == "attestation.signature"


def test_securesystemslib_verifies_a_p256_signature_of_ours() -> None:
    theirs = Envelope.from_dict(json.loads(dsse.sign(PAYLOAD, [P256])))
    key = SSlibKey.from_crypto(P256.public, keyid=fingerprint(P256.public))
    assert set(theirs.verify([key], 1)) == {fingerprint(P256.public)}


def test_an_envelope_of_another_payload_type_is_rejected() -> None:
    trust = dsse.sign(PAYLOAD, [SIGNER], payload_type="application/vnd.audit.trust+yaml")
    assert code_of(trust) == "attestation.payload-type"
    quorum = Quorum((SIGNER.public,))
    assert dsse.verify(trust, quorum, where="t", payload_type="application/vnd.audit.trust+yaml") == PAYLOAD


def test_every_changed_character_of_payload_and_signature_is_rejected() -> None:
    envelope = dsse.sign(PAYLOAD, [SIGNER])
    document = json.loads(envelope)
    for text in (document["payload"], document["signatures"][0]["sig"], document["payloadType"]):
        for position in range(len(text)):
            other = "A" if text[position] != "A" else "B"
            changed = envelope.replace(text.encode(), (text[:position] + other + text[position + 1 :]).encode())
            assert changed != envelope
            code_of(changed)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(extra=1), "attestation.envelope"),
        (lambda d: d.pop("payloadType"), "attestation.envelope"),
        (lambda d: d.update(payloadType="application/json"), "attestation.payload-type"),
        (lambda d: d.update(payloadType=None), "attestation.payload-type"),
        (lambda d: d.update(signatures=[]), "attestation.envelope"),
        (lambda d: d.update(signatures={}), "attestation.envelope"),
        (lambda d: d.update(signatures=["x"]), "attestation.envelope"),
        (lambda d: d.update(signatures=d["signatures"] * 65), "attestation.envelope"),
        (lambda d: d["signatures"][0].pop("keyid"), "attestation.envelope"),
        (lambda d: d["signatures"][0].update(cert="x"), "attestation.envelope"),
        (lambda d: d["signatures"][0].update(sig=7), "attestation.base64"),
        (lambda d: d["signatures"][0].update(sig=""), "attestation.signature"),
        (lambda d: d.update(payload=None), "attestation.base64"),
        (lambda d: d.update(payload=d["payload"] + "\n"), "attestation.base64"),
        (lambda d: d.update(payload="é"), "attestation.base64"),
        (lambda d: d.update(payload="-_8="), "attestation.base64"),
        (lambda d: d.update(payload="QR=="), "attestation.base64"),
        (lambda d: d.update(payload="QQ"), "attestation.base64"),
    ],
)
def test_an_envelope_of_another_shape_is_rejected(change: Any, code: str) -> None:
    assert code_of(altered(change)) == code


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"payload": NaN}',
        b'{"payload": 1e999}',
        b'{"payload": "\\ud800"}',
        b'{"payload": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_strict_json_is_rejected(text: bytes) -> None:
    assert code_of(text) in {"attestation.json", "attestation.envelope"}


def test_a_key_that_stands_twice_is_rejected() -> None:
    envelope = dsse.sign(PAYLOAD, [SIGNER])
    assert code_of(envelope[:-1] + b',"payload":"QQ=="}') == "attestation.json"


@given(st.binary(max_size=300))
def test_random_bytes_are_rejected_and_nothing_worse(data: bytes) -> None:
    code_of(data)


@given(data=st.data())
def test_a_mutated_envelope_verifies_to_the_same_payload_or_is_rejected(data: st.DataObject) -> None:
    envelope = dsse.sign(PAYLOAD, [SIGNER])
    at = data.draw(st.integers(0, len(envelope)))
    mutated = envelope[:at] + data.draw(st.binary(max_size=4)) + envelope[at + data.draw(st.integers(0, 4)) :]
    with contextlib.suppress(RejectedError):
        assert opened(mutated) == PAYLOAD


def test_a_message_is_hashed_once_for_p256_however_many_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []

    def counting(kind: KeyKind, message: bytes) -> bytes:
        hashed.append(len(message))
        return to_sign(kind, message)

    monkeypatch.setattr(dsse, "to_sign", counting)
    junk = [signature(P256) | {"sig": base64.b64encode(bytes([n] * 70)).decode()} for n in range(63)]
    keys = [Signer.of(derive_private_key(n, SECP256R1())) for n in range(8, 15)]
    assert opened(with_signatures(*junk, signature(P256)), *keys, P256) == PAYLOAD
    assert len(hashed) == 1
