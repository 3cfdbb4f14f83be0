from __future__ import annotations

import hashlib
import random
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from device_verifier import DeviceVerifier, Opening, build_verifier, lacking_for_host
from handmade_image import P256_ORDER, Handmade
from sealed_samples import COMBINATIONS, FULL, Sealed, flip, sample, seal_model

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.key_forms import RecipientPrivate, SignerPublic
from audit_pipeline.seal.verify import Trust, verify

LACKING = lacking_for_host()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
X25519 = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
P256_SIGNER = generate_private_key(SECP256R1())
P256_RECIPIENT = generate_private_key(SECP256R1())
MODEL = random.Random(5).randbytes(20)
VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, "wearables.example.com")
CLASS = uuid.uuid5(VENDOR, "wrist-2")


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> DeviceVerifier:
    return build_verifier(tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> DeviceVerifier:
    return build_verifier(tmp_path_factory.mktemp("checked"), sanitized=True)


def handmade(signs: str = "ed25519", receives: str = "x25519", aes_bits: int = 128) -> Handmade:
    return Handmade(
        signer=ED25519 if signs == "ed25519" else P256_SIGNER,
        recipient=X25519 if receives == "x25519" else P256_RECIPIENT,
        model=MODEL,
        aes_bytes=aes_bits // 8,
    )


def opening(made: Handmade, change: Callable[[bytes], bytes] = bytes) -> Opening:
    return Opening(change(made.image()), made.signer.public_key(), made.recipient)


def opening_of(sealed: Sealed) -> Opening:
    return Opening(sealed.image, sealed.signer.public, sealed.recipient)


@pytest.mark.parametrize(("signs", "receives", "aes_bits"), COMBINATIONS)
def test_an_image_of_imgtool_opens_to_the_exact_model(
    device: DeviceVerifier, signs: str, receives: str, aes_bits: int
) -> None:
    sealed = sample(signs, receives, aes_bits)  # type: ignore[arg-type]
    opened = device.open(opening_of(sealed))
    assert (opened.status, opened.model) == ("ok", sealed.model)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096, 100_001])
def test_a_model_of_any_size_opens_without_its_padding(device: DeviceVerifier, size: int) -> None:
    sealed = seal_model(size)
    assert device.open(opening_of(sealed)).model == sealed.model


def test_a_handmade_image_opens_and_says_what_was_put_in(device: DeviceVerifier) -> None:
    dependency = struct.pack("<B3xBBHI", 2, 1, 2, 3, 4)
    optional = ((0x40, dependency), (0x74, VENDOR.bytes), (0x75, CLASS.bytes))
    opened = device.open(opening(handmade().change(optional=optional)))
    assert (opened.status, opened.model) == ("ok", MODEL)
    assert opened.values == {
        "version": "1.4.300+70000",
        "security-counter": "7",
        "model-bytes": "20",
        "model-sha256": hashlib.sha256(MODEL).hexdigest(),
        "verdict-sha256": bytes(range(32)).hex(),
        "policy-sha256": bytes(range(32, 64)).hex(),
        "log-size": str(2**40 + 5),
        "log-root": bytes(range(64, 96)).hex(),
        "dependency-image": "2",
        "dependency": "1.2.3+4",
        "vendor": VENDOR.hex,
        "class": CLASS.hex,
    }


def test_the_device_reads_the_optional_values_that_imgtool_wrote(device: DeviceVerifier) -> None:
    opened = device.open(opening_of(seal_model(30, settings=FULL)))
    assert FULL.dependency is not None
    assert opened.values["dependency"] == str(FULL.dependency.version)
    assert (opened.values["vendor"], opened.values["class"]) == (VENDOR.hex, CLASS.hex)


def test_an_image_at_the_limits_of_what_is_copied_opens(device: DeviceVerifier) -> None:
    optional = ((0x40, bytes(12)), (0x74, VENDOR.bytes), (0x75, CLASS.bytes))
    made = handmade("p256", "p256", 256).change(optional=optional)
    images = [made.image() for _ in range(40)]
    assert {len(image) - 64 for image in images} >= {224 + 283, 224 + 284}
    openings = [Opening(image, made.signer.public_key(), made.recipient) for image in images]
    assert set(device.statuses(openings)) == {"ok"}


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


def with_optional(*entries: tuple[int, bytes]) -> Handmade:
    return handmade().change(optional=entries)


def with_ephemeral(point: bytes, receives: str = "x25519") -> Fault:
    """An image whose ephemeral key is replaced; the wrapped key stands last in an image."""
    at = -(len(point) + 32 + 16)
    codes = {0: "low-order", 1: "low-order"}
    return Fault(f"image.ephemeral-{codes.get(point[0], 'not-canonical')}", handmade(receives=receives), put(at, point))


def signature_swapped(image: bytes) -> bytes:
    """The image with TLV 0x24 in place of its 0x22, filled with the first bytes of whatever was there."""
    at = image.index(struct.pack("<H", 0x22), 32 + 32 + 168 + 4 + 36 + 36)
    length = struct.unpack_from("<H", image, at + 2)[0]
    new = struct.pack("<HH", 0x24, 64) + image[at + 4 : at + 68]
    head = 32 + 32 + 168
    size = struct.unpack_from("<H", image, head + 2)[0] + 64 - length
    return image[: head + 2] + struct.pack("<H", size) + image[head + 4 : at] + new + image[at + 4 + length :]


PRIME = 2**255 - 19
ORDER_EIGHT = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")

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
    "the top bit of the ephemeral key": with_ephemeral((PRIME + 2 + 2**255).to_bytes(32, "little")[:31] + b"\xff"),
    "an ephemeral key of p": with_ephemeral(PRIME.to_bytes(32, "little")),
    "an ephemeral key of p + 1": with_ephemeral((PRIME + 1).to_bytes(32, "little")),
    "an ephemeral key of zero": with_ephemeral(bytes(32)),
    "an ephemeral key of one": with_ephemeral(b"\1" + bytes(31)),
    "an ephemeral key of p - 1": Fault(
        "image.ephemeral-low-order", handmade(), put(-80, (PRIME - 1).to_bytes(32, "little"))
    ),
    "an ephemeral key of order eight": Fault("image.ephemeral-low-order", handmade(), put(-80, ORDER_EIGHT)),
    "a hybrid P-256 point": Fault("image.ephemeral-not-canonical", handmade(receives="p256"), put(-113, b"\x06")),
    "a point off the curve": Fault("image.ephemeral-off-curve", handmade(receives="p256"), put(-112, bytes(32))),
    "a coordinate above the prime": Fault("image.ephemeral-off-curve", handmade(receives="p256"), put(-112, b"\xff" * 32)),
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


def test_a_device_refuses_an_older_image_but_not_an_equal_one(device: DeviceVerifier) -> None:
    given = opening(handmade().change(counter=2**31))
    assert device.open(given, "--least-counter", str(2**31)).status == "ok"
    refused = device.open(given, "--least-counter", str(2**31 + 1))
    assert (refused.status, refused.values, refused.model) == ("device.counter-rollback", {}, None)


def test_a_device_refuses_the_image_of_another_vendor_or_class_or_of_none(device: DeviceVerifier) -> None:
    named = opening(with_optional((0x74, VENDOR.bytes), (0x75, CLASS.bytes)))
    nameless = opening(handmade())
    right = ("--vendor", VENDOR.hex, "--class", CLASS.hex)
    assert device.open(named, *right).status == "ok"
    assert device.open(named, "--vendor", CLASS.hex).status == "device.wrong-vendor"
    assert device.open(named, "--class", VENDOR.hex).status == "device.wrong-class"
    assert device.open(nameless, "--vendor", VENDOR.hex).status == "device.wrong-vendor"
    assert device.open(nameless, "--class", CLASS.hex).status == "device.wrong-class"


@pytest.mark.parametrize(("signs", "receives", "aes_bits"), COMBINATIONS)
def test_no_altered_bit_and_no_truncation_opens(
    checked: DeviceVerifier, signs: str, receives: str, aes_bits: int
) -> None:
    given = opening(handmade(signs, receives, aes_bits))
    flips, cuts = checked.fuzz(given, "flips"), checked.fuzz(given, "truncations")
    assert "ok" not in flips | cuts
    assert (sum(flips.values()), sum(cuts.values())) == (8 * len(given.image), len(given.image))


@pytest.mark.parametrize(
    ("signs", "receives", "mutations"),
    [("ed25519", "x25519", 50_000), ("ed25519", "p256", 40_000), ("p256", "x25519", 5_000), ("p256", "p256", 5_000)],
)
def test_no_random_mutation_opens_or_makes_a_sanitizer_complain(
    checked: DeviceVerifier, signs: str, receives: str, mutations: int
) -> None:
    statuses = checked.fuzz(opening(handmade(signs, receives)), str(mutations), seed=mutations)
    assert sum(statuses.values()) == mutations
    # Some rounds undo themselves; the program itself fails where anything but the image opens.
    assert statuses.pop("ok") < mutations / 100
    assert len(statuses) > 15 and statuses["device.capacity"] > 10


def test_the_program_says_what_is_wrong_with_its_command(device: DeviceVerifier, tmp_path: Path) -> None:
    assert device.run("audit-image").returncode == 2
    told = device.run("audit-image", str(tmp_path / "none"), "--signer", "a", "--x25519", "b")
    assert told.returncode == 2
    assert "No such file" in told.stderr
