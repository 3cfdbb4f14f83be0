"""Stripping: what is not there cannot refuse."""

from __future__ import annotations

from attack import Attacker, Family, View
from forge import take_apart
from genuine import Genuine, Presented

STRIPPING = Family("stripping")

_TLVS = (
    (0x24, "the signature", "an image that was never signed is taken for one that need not be"),
    (0x01, "the key hash", "any key will do that the bootloader holds"),
    (0x10, "the image hash", "nothing is compared with the payload"),
    (0x33, "the wrapped AES key", "the payload is run as it stands"),
    (0x50, "the security counter", "a bootloader without a counter to read lets an old image in"),
    (0xA0, "the verdict (0xA0)", "an image that no verdict allowed"),
    (0xA1, "the model's digest (0xA1)", "another model under the same verdict"),
    (0xA2, "the policy's digest (0xA2)", "a laxer policy is shown for it"),
    (0xA3, "the audit log's head (0xA3)", "a run that was struck from the log"),
)


def _enter(kind: int, what: str, hope: str) -> None:
    @STRIPPING.attack(hope, code="image.tlv-set", name=f"strip {what}")
    def present(genuine: Genuine) -> Presented:
        return genuine.shows(image=genuine.pieces.without(kind).whole())


for _kind, _what, _hope in _TLVS:
    _enter(_kind, _what, _hope)


@STRIPPING.attack("every value that MCUboot would protect is gone at once", code="image.tlv-set")
def strip_the_whole_protected_area(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(protected=()).whole())


@STRIPPING.attack("an image without hash and signature", code="image.truncated")
def strip_the_whole_unprotected_area(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(unprotected=()).whole())


@STRIPPING.attack("an empty list of TLVs is a list in which nothing is wrong", code="image.tlv-set")
def leave_the_unprotected_area_empty(genuine: Genuine) -> Presented:
    image = genuine.pieces.but(unprotected=()).whole() + bytes.fromhex("07690400")
    return genuine.shows(image=image)


@STRIPPING.attack("the device runs the ciphertext as a plain model", code="image.flags")
def clear_the_encryption_flag(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(flags=0))


@STRIPPING.attack("a plain image is read by everybody on its way, and altered", code="image.flags", by=Attacker.DEVICE)
def decrypt_and_pass_on_as_a_plain_image(genuine: Genuine) -> Presented:
    plain = take_apart(genuine.clear(genuine.run.image)).without(0x33)
    return genuine.shows(image=plain.whole(flags=0))


@STRIPPING.attack(
    "a plain payload under the flag of an encrypted one", code="release.image", view=View.ATTESTED, by=Attacker.DEVICE
)
def decrypt_and_keep_the_flag(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.clear(genuine.run.image))
