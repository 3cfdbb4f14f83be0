from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from device_verifier import DeviceVerifier, Opening, build_verifier, lacking_for_host
from handmade_image import P256_ORDER, P256_RECIPIENT, P256_SIGNER, Handmade, handmade, with_optional
from sealed_samples import flip

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.keys.forms import RecipientPrivate, SignerPublic
from audit_pipeline.seal.verify import Trust, verify

LACKING = lacking_for_host()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> DeviceVerifier:
    return build_verifier(tmp_path_factory.mktemp("device"))


@dataclass(frozen=True)
class Fault:
    """An image, signed and wrapped rightly except for one fault; both readers must name it alike."""

    status: str
    made: Handmade
    change: Callable[[bytes], bytes] = bytes
    trusted: SignerPublic | None = None
    recipient: RecipientPrivate | None = None

    def opening(self) -> Opening:
        trusted = self.trusted or self.made.signer.public_key()
        return Opening(self.change(self.made.image()), trusted, self.recipient or self.made.recipient)


def put(at: int, new: bytes) -> Callable[[bytes], bytes]:
    """Bytes written over others; from the end where `at` is negative."""

    def change(image: bytes) -> bytes:
        start = at % len(image)
        return image[:start] + new + image[start + len(new) :]

    return change


def signature_swapped(image: bytes) -> bytes:
    """The image with TLV 0x24 in place of its 0x22, filled with the first bytes of whatever was there."""
    at = image.index(struct.pack("<H", 0x22), 32 + 32 + 168 + 4 + 36 + 36)
    length = struct.unpack_from("<H", image, at + 2)[0]
    new = struct.pack("<HH", 0x24, 64) + image[at + 4 : at + 68]
    head = 32 + 32 + 168
    size = struct.unpack_from("<H", image, head + 2)[0] + 64 - length
    return image[: head + 2] + struct.pack("<H", size) + image[head + 4 : at] + new + image[at + 4 + length :]


PRIME = 2**255 - 19
ORDER_EIGHT = 325606250916557431795983626356110631294008115727848805560023387167927233504
ANOTHER_OF_ORDER_EIGHT = 39382357235489614581723060781553021112529911719440698176882885853963445705823


def ephemeral(u: int, fault: str) -> Fault:
    """An image with another ephemeral X25519 key, which stands 80 bytes before its end."""
    return Fault(f"image.ephemeral-{fault}", handmade(), put(-80, u.to_bytes(32, "little")))


FAULTS = {
    "shorter than a header": Fault("image.truncated", handmade(), lambda image: image[:31]),
    "a payload longer than the file": Fault("image.truncated", handmade(), put(12, b"\xf0\xff\xff\xff")),
    "another magic": Fault("image.magic", handmade(), put(0, b"\x3c")),
    "a header of another size": Fault("image.header-size", handmade(), put(8, b"\x40")),
    "a reserved field in use": Fault("image.header-reserved", handmade().change(header={"reserved": 1})),
    "another protected magic": Fault("image.area-magic", handmade(), put(64, b"\x09")),
    "a protected area of another size": Fault("image.area-size", handmade().change(header={"protected": 167})),
    "a TLV past the end of its area": Fault("image.tlv-overrun", handmade(), put(70, b"\xff")),
    "a byte too many": Fault("image.trailing-bytes", handmade(), lambda image: image + b"\0"),
    "many bytes too many": Fault("image.trailing-bytes", handmade(), lambda image: image + bytes(4096)),
    "a load address": Fault("image.load-address", handmade().change(header={"load": 0x20000000})),
    "no encryption": Fault("image.flags", handmade().change(header={"flags": 0})),
    "both sizes of AES": Fault("image.flags", handmade().change(header={"flags": 0xC})),
    "a flag beside AES": Fault("image.flags", handmade().change(header={"flags": 0x24})),
    "half a block": Fault("image.payload-size", handmade().change(padding=b"")),
    "no payload": Fault("image.payload-size", handmade().change(model=b"")),
    "AES-256 with a key of 128 bits": Fault("image.tlv-length", handmade().change(header={"flags": 8})),
    "a TLV twice": Fault("image.tlv-set", with_optional((0x50, bytes(4)))),
    "a dependency twice": Fault("image.tlv-set", with_optional((0x40, bytes(12)), (0x40, bytes(12)))),
    "an unknown TLV": Fault("image.tlv-set", with_optional((0x60, bytes(12)))),
    "vendor behind class": Fault("image.tlv-set", with_optional((0x75, bytes(16)), (0x74, bytes(16)))),
    "a class without a vendor": Fault("image.tlv-set", with_optional((0x75, bytes(16)))),
    "a short vendor": Fault("image.tlv-length", with_optional((0x74, bytes(15)))),
    "a dependency that is not padded with zeros": Fault(
        "image.dependency", with_optional((0x40, struct.pack("<II4x", 0x01000001, 1)))
    ),
    "a model of another length": Fault("image.model-length", handmade().change(padding=bytes(28))),
    "an empty log": Fault("image.log-size", handmade().change(log_size=0)),
    "the top bit of the ephemeral key": Fault(
        "image.ephemeral-not-canonical", handmade(), lambda image: flip(image, 8 * (len(image) - 49) + 7)
    ),
    "an ephemeral key of p": ephemeral(PRIME, "not-canonical"),
    "an ephemeral key of p + 1": ephemeral(PRIME + 1, "not-canonical"),
    "an ephemeral key of p - 1": ephemeral(PRIME - 1, "low-order"),
    "an ephemeral key of zero": ephemeral(0, "low-order"),
    "an ephemeral key of one": ephemeral(1, "low-order"),
    "an ephemeral key of order eight": ephemeral(ORDER_EIGHT, "low-order"),
    "another ephemeral key of order eight": ephemeral(ANOTHER_OF_ORDER_EIGHT, "low-order"),
    "a hybrid P-256 point": Fault("image.ephemeral-not-canonical", handmade(receives="p256"), put(-113, b"\x06")),
    "a point off the curve": Fault("image.ephemeral-off-curve", handmade(receives="p256"), put(-112, bytes(32))),
    "a coordinate above the prime": Fault(
        "image.ephemeral-off-curve", handmade(receives="p256"), put(-112, b"\xff" * 32)
    ),
    "another signer": Fault("image.wrong-signer", handmade(), trusted=Ed25519PrivateKey.generate().public_key()),
    "a signer of another kind": Fault("image.wrong-signer", handmade(), trusted=P256_SIGNER.public_key()),
    "an Ed25519 signature under a P-256 key": Fault("image.signature-kind", handmade("p256"), signature_swapped),
    "the high one of two signatures": Fault("image.signature", handmade("p256").change(high_s=True)),
    "another device": Fault("image.wrong-recipient", handmade(), recipient=X25519PrivateKey.generate()),
    "another device of P-256": Fault(
        "image.wrong-recipient", handmade(receives="p256"), recipient=generate_private_key(SECP256R1())
    ),
    "a device of another kind": Fault("image.wrong-recipient", handmade(), recipient=P256_RECIPIENT),
    "another wrapped key": Fault("image.wrong-recipient", handmade(), put(-1, b"\x5a")),
    "another payload": Fault("image.hash", handmade(), lambda image: flip(image, 32 * 8)),
    "another counter": Fault("image.hash", handmade(), put(72, b"\x08")),
    "padding that is not zero": Fault("image.padding", handmade().change(padding=bytes(11) + b"\1")),
    "a model that 0xA1 does not name": Fault("image.model", handmade().change(model_sha256=bytes(32))),
}


def test_every_fault_has_the_status_that_audit_verify_gives_it(device: DeviceVerifier) -> None:
    openings = {name: fault.opening() for name, fault in FAULTS.items()}
    statuses = dict(zip(openings, device.statuses(list(openings.values())), strict=True))
    assert statuses == {name: fault.status for name, fault in FAULTS.items()}
    assert statuses == {name: _code(given) for name, given in openings.items()}


def opening(made: Handmade) -> Opening:
    return Opening(made.image(), made.signer.public_key(), made.recipient)


def _code(given: Opening) -> str:
    try:
        verify(given.image, trust=Trust.one(given.signer), recipient=given.recipient)
    except RejectedError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize(
    "change",
    [
        lambda r, s: der(integer(r), integer(s) + b"\0"),
        lambda r, s: der(b"\0" + integer(r), integer(s)),
        lambda r, s: der(integer(r), b"\0" + integer(s)),
        lambda r, s: der(integer(0), integer(s)),
        lambda r, s: der(integer(r), integer(0)),
        lambda r, s: der(integer(r), b""),
        lambda r, s: der(integer(r + P256_ORDER), integer(s)),
        lambda r, s: der(integer(r), integer(P256_ORDER - s)),
        lambda r, s: der(integer(r), (-s).to_bytes(33, "big", signed=True)),
        lambda r, s: der(integer(r), integer(s), head=b"\x30\x81"),
        lambda r, s: der(integer(r), integer(s), head=b"\x31"),
        lambda r, s: der(integer(r), integer(s)) + b"\0",
        lambda r, s: der(integer(r), integer(s))[:-1],
    ],
)
def test_a_signature_has_one_form(device: DeviceVerifier, change: Callable[[int, int], bytes]) -> None:
    made = handmade("p256").change(signature=change)
    given = opening(made)
    assert device.statuses([given]) == [_code(given)]
    assert _code(given) in {"image.signature", "image.tlv-length"}


def integer(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def der(r: bytes, s: bytes, head: bytes = b"\x30") -> bytes:
    body = b"".join(b"\x02" + bytes([len(digits)]) + digits for digits in (r, s))
    return head + bytes([len(body)]) + body
