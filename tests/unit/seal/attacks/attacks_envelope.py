"""DSSE: another payload, other bytes, other keys around an attestation that was genuine."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from attack import Attacker, Family, View
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from genuine import Genuine, Presented
from shipped import P256

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.signer import Signer

ENVELOPE = Family("DSSE envelope")
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Document = dict[str, Any]


def with_release(genuine: Genuine, change: Callable[[Document], None]) -> Presented:
    """The genuine release with its envelope changed."""
    document = json.loads(genuine.run.release)
    change(document)
    return genuine.shows(release=json.dumps(document).encode())


def release_payload(genuine: Genuine) -> bytes:
    return base64.b64decode(json.loads(genuine.run.release)["payload"])


def _forged(genuine: Genuine, payload: bytes) -> Presented:
    """Another payload under the genuine signature."""

    def change(document: Document) -> None:
        document["payload"] = base64.b64encode(payload).decode()

    return with_release(genuine, change)


@ENVELOPE.attack("nobody looks at who signed", code="attestation.signature", view=View.ATTESTED, by=Attacker.STRANGER)
def sign_the_release_with_another_key(genuine: Genuine) -> Presented:
    return genuine.shows(release=dsse.sign(release_payload(genuine), [genuine.stranger.signer]))


@ENVELOPE.attack(
    "the key id decides which key is trusted", code="attestation.signature", view=View.ATTESTED, by=Attacker.STRANGER
)
def sign_with_another_key_under_the_trusted_key_id(genuine: Genuine) -> Presented:
    document = json.loads(dsse.sign(release_payload(genuine), [genuine.stranger.signer]))
    document["signatures"][0]["keyid"] = fingerprint(genuine.run.signer.public)
    return genuine.shows(release=json.dumps(document).encode())


@ENVELOPE.attack(
    "an empty key id matches any key", code="attestation.signature", view=View.ATTESTED, by=Attacker.STRANGER
)
def sign_with_another_key_under_an_empty_key_id(genuine: Genuine) -> Presented:
    document = json.loads(dsse.sign(release_payload(genuine), [genuine.stranger.signer]))
    document["signatures"][0]["keyid"] = ""
    return genuine.shows(release=json.dumps(document).encode())


@ENVELOPE.attack(
    "a key that was rotated out still signs", code="attestation.signature", view=View.ATTESTED, by=Attacker.FORMER
)
def sign_the_release_with_a_former_key(genuine: Genuine) -> Presented:
    return genuine.shows(release=dsse.sign(release_payload(genuine), [Signer.of(genuine.former)]))


@ENVELOPE.attack("another image under the genuine signature", code="attestation.signature", view=View.ATTESTED)
def name_another_image_in_the_payload(genuine: Genuine) -> Presented:
    image = genuine.pieces.whole(major=255)
    payload = release_payload(genuine).replace(genuine.run.image_sha256.encode(), sha256_hex(image).encode())
    return _forged(genuine, payload).but(image=image)


@ENVELOPE.attack("a verifier that serialises again before it checks", code="attestation.signature", view=View.ATTESTED)
def serialise_the_payload_again(genuine: Genuine) -> Presented:
    return _forged(genuine, json.dumps(json.loads(release_payload(genuine)), indent=1).encode())


@ENVELOPE.attack("the signature of one payload type for another", code="attestation.payload-type", view=View.ATTESTED)
def change_the_payload_type(genuine: Genuine) -> Presented:
    return with_release(genuine, lambda document: document.update(payloadType="application/json"))


@ENVELOPE.attack(
    "the maker signed something of another type: it is passed off as a release",
    code="attestation.signature",
    view=View.ATTESTED,
    by=Attacker.INSIDER,
)
def pass_off_a_payload_of_another_type(genuine: Genuine) -> Presented:
    signed = dsse.sign(release_payload(genuine), [genuine.run.signer], payload_type="text/plain")
    return genuine.shows(release=signed.replace(b"text/plain", dsse.PAYLOAD_TYPE.encode()))


@ENVELOPE.attack(
    "the maker signed these bytes elsewhere, without DSSE's prefix",
    code="attestation.signature",
    view=View.ATTESTED,
    by=Attacker.INSIDER,
)
def take_a_signature_over_the_bare_payload(genuine: Genuine) -> Presented:
    bare = base64.b64encode(genuine.run.signer.sign(release_payload(genuine))).decode()
    return with_release(genuine, lambda document: document["signatures"][0].update(sig=bare))


@ENVELOPE.attack(
    "the image's own signature, over 32 bytes, as that of an attestation",
    code="attestation.signature",
    view=View.ATTESTED,
)
def pass_off_the_image_signature_as_that_of_the_release(genuine: Genuine) -> Presented:
    signature = base64.b64encode(genuine.pieces.value(0x24)).decode()
    return with_release(genuine, lambda document: document["signatures"][0].update(sig=signature))


@ENVELOPE.attack("the signature of the verdict for the release", code="attestation.signature", view=View.ATTESTED)
def exchange_the_signatures_of_two_attestations(genuine: Genuine) -> Presented:
    other = json.loads(genuine.run.verdict)["signatures"]
    return with_release(genuine, lambda document: document.update(signatures=other))


@ENVELOPE.attack("some readers take the first payload, some the last", code="attestation.json", view=View.ATTESTED)
def give_two_payloads(genuine: Genuine) -> Presented:
    other = json.loads(genuine.older.release)["payload"]
    twice = b'{"payload":"' + other.encode() + b'",' + genuine.run.release.lstrip()[1:]
    return genuine.shows(release=twice)


@ENVELOPE.attack("a field outside the signature that a reader acts on", code="attestation.envelope", view=View.ATTESTED)
def add_a_field_to_the_envelope(genuine: Genuine) -> Presented:
    return with_release(genuine, lambda document: document.update(approved=True))


@ENVELOPE.attack(
    "a certificate beside the signature, to be trusted with it", code="attestation.envelope", view=View.ATTESTED
)
def add_a_field_to_a_signature(genuine: Genuine) -> Presented:
    return with_release(genuine, lambda document: document["signatures"][0].update(cert="MIIB"))


@ENVELOPE.attack("two files with one meaning: the other alphabet", code="attestation.base64", view=View.ATTESTED)
def write_base64_in_the_url_alphabet(genuine: Genuine) -> Presented:
    def change(document: Document) -> None:
        document["signatures"][0]["sig"] = base64.urlsafe_b64encode(b"\xfb\xff" * 32).decode()

    return with_release(genuine, change)


@ENVELOPE.attack("two files with one meaning: a line break", code="attestation.base64", view=View.ATTESTED)
def break_the_lines_of_base64(genuine: Genuine) -> Presented:
    return with_release(
        genuine, lambda document: document.update(payload=document["payload"][:76] + "\n" + document["payload"][76:])
    )


@ENVELOPE.attack("two files with one meaning: bits that base64 drops", code="attestation.base64", view=View.ATTESTED)
def set_the_bits_that_base64_drops(genuine: Genuine) -> Presented:
    def change(document: Document) -> None:
        signature = document["signatures"][0]["sig"]
        document["signatures"][0]["sig"] = signature.rstrip("=")[:-1] + _next(signature.rstrip("=")[-1]) + "=="

    return with_release(genuine, change)


@ENVELOPE.attack("two files with one meaning: no padding", code="attestation.base64", view=View.ATTESTED)
def leave_out_the_padding_of_base64(genuine: Genuine) -> Presented:
    return with_release(
        genuine, lambda document: document["signatures"][0].update(sig=document["signatures"][0]["sig"].rstrip("="))
    )


@ENVELOPE.attack("none of no signatures is wrong", code="attestation.envelope", view=View.ATTESTED)
def give_no_signature(genuine: Genuine) -> Presented:
    return with_release(genuine, lambda document: document.update(signatures=[]))


@ENVELOPE.attack("an empty signature is one that does not fail", code="attestation.signature", view=View.ATTESTED)
def give_an_empty_signature(genuine: Genuine) -> Presented:
    return with_release(genuine, lambda document: document["signatures"][0].update(sig=""))


@ENVELOPE.attack("the verifier checks until it is tired", code="attestation.envelope", view=View.ATTESTED)
def give_ten_thousand_signatures(genuine: Genuine) -> Presented:
    return with_release(genuine, lambda document: document.update(signatures=document["signatures"] * 10_000))


@ENVELOPE.attack("the reader's stack is finite", code="attestation.json", view=View.ATTESTED)
def nest_the_envelope_a_hundred_thousand_deep(genuine: Genuine) -> Presented:
    return genuine.shows(release=b"[" * 100_000 + b"]" * 100_000)


@ENVELOPE.attack("what follows the JSON is read by somebody else", code="attestation.json", view=View.ATTESTED)
def append_a_second_envelope(genuine: Genuine) -> Presented:
    return genuine.shows(release=genuine.run.release + genuine.older.release)


@ENVELOPE.attack("another reader decodes it otherwise", code="attestation.json", view=View.ATTESTED)
def write_the_envelope_in_utf_16(genuine: Genuine) -> Presented:
    return genuine.shows(release=genuine.run.release.decode().encode("utf-16"))


@ENVELOPE.attack(
    "a second valid signature, to pass for a second signer",
    code="attestation.signature",
    view=View.ATTESTED,
    suite=P256,
)
def negate_s_in_an_attestation(genuine: Genuine) -> Presented:
    def change(document: Document) -> None:
        r, s = decode_dss_signature(base64.b64decode(document["signatures"][0]["sig"]))
        document["signatures"][0]["sig"] = base64.b64encode(encode_dss_signature(r, _N - s)).decode()

    return with_release(genuine, change)


def _next(letter: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return alphabet[alphabet.index(letter) + 1]
