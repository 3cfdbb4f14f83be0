"""TLVs in another order, twice, in the other area, or of another size."""

from __future__ import annotations

import struct

from attack import Attacker, Family, View
from forge import Entry, area, header, swapped
from genuine import Genuine, Presented

TLVS = Family("TLV order, duplicates, injection")
_LOW_COUNTER = struct.pack("<I", 1)
_HIGH_COUNTER = struct.pack("<I", 0xFFFF_FFFF)


def _unprotected(genuine: Genuine, *entries: Entry) -> Presented:
    return genuine.shows(image=genuine.pieces.but(unprotected=(*genuine.pieces.unprotected, *entries)).whole())


def _protected(genuine: Genuine, *entries: Entry) -> Presented:
    return genuine.shows(image=genuine.pieces.but(protected=(*genuine.pieces.protected, *entries)).whole())


def _with_area_size(genuine: Genuine, more: int) -> bytes:
    """Today's image, the head of its protected area off by some bytes."""
    pieces = genuine.pieces
    first = bytearray(area(0x6908, pieces.protected))
    struct.pack_into("<H", first, 2, len(first) + more)
    honest = header(pieces.header, protected=len(first), payload=len(pieces.payload))
    return honest + pieces.payload + bytes(first) + area(0x6907, pieces.unprotected)


@TLVS.attack("two files, one image: caches and logs by digest miss the second", code="image.tlv-set")
def exchange_two_protected_tlvs(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(protected=swapped(genuine.pieces.protected, 1)).whole())


@TLVS.attack("the signature is read before the key hash that selects its key", code="image.tlv-set")
def exchange_two_unprotected_tlvs(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(unprotected=swapped(genuine.pieces.unprotected, 1)).whole())


@TLVS.attack("some readers take the first signature, some the last", code="image.tlv-set", by=Attacker.STRANGER)
def add_a_second_signature(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0x24, genuine.stranger.signer.sign_hash(genuine.pieces.value(0x10))))


@TLVS.attack("some readers take the first hash, some the last", code="image.tlv-set")
def add_a_second_image_hash(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0x10, bytes(32)))


@TLVS.attack("a second device unwraps another key from the same image", code="image.tlv-set")
def add_a_second_wrapped_key(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0x33, genuine.older_pieces.value(0x33)))


@TLVS.attack("the counter that is compared is not the one that is stored", code="image.tlv-set")
def add_a_second_protected_counter(genuine: Genuine) -> Presented:
    return _protected(genuine, (0x50, _HIGH_COUNTER))


@TLVS.attack("the reader looks for the counter in both areas", code="image.tlv-set")
def add_a_counter_to_the_unprotected_area(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0x50, _HIGH_COUNTER))


@TLVS.attack("the counter can be altered freely where nothing is hashed", code="image.tlv-set")
def move_the_counter_to_the_unprotected_area(genuine: Genuine) -> Presented:
    pieces = genuine.pieces.without(0x50)
    return genuine.shows(image=pieces.but(unprotected=(*pieces.unprotected, (0x50, _LOW_COUNTER))).whole())


@TLVS.attack("a second verdict where nothing is hashed", code="image.tlv-set")
def add_a_verdict_to_the_unprotected_area(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0xA0, genuine.older_pieces.value(0xA0)))


@TLVS.attack("the signature signs itself out of the hash", code="image.tlv-set")
def move_the_signature_to_the_protected_area(genuine: Genuine) -> Presented:
    signature = (0x24, genuine.pieces.value(0x24))
    pieces = genuine.pieces.without(0x24)
    return genuine.shows(image=pieces.but(protected=(*pieces.protected, signature)).whole())


@TLVS.attack("firmware acts on a vendor TLV that nobody signed", code="image.tlv-set")
def add_a_vendor_tlv_to_the_unprotected_area(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0xA4, b"debug=1"))


@TLVS.attack("firmware acts on a protected TLV that the profile does not know", code="image.tlv-set")
def add_a_vendor_tlv_to_the_protected_area(genuine: Genuine) -> Presented:
    return _protected(genuine, (0xA4, b"debug=1"))


@TLVS.attack("the image passes for one of another device class", code="image.tlv-set")
def add_a_device_class_to_the_unprotected_area(genuine: Genuine) -> Presented:
    return _unprotected(genuine, (0x75, bytes(16)))


@TLVS.attack("a class that belongs to no vendor matches any", code="image.tlv-set")
def add_a_device_class_without_a_vendor(genuine: Genuine) -> Presented:
    pieces = genuine.pieces.but(
        protected=(genuine.pieces.protected[0], (0x75, bytes(16)), *genuine.pieces.protected[1:])
    )
    return genuine.shows(image=pieces.whole())


@TLVS.attack("an update that waits for an image that never comes", code="release.image", view=View.ATTESTED)
def add_a_dependency(genuine: Genuine) -> Presented:
    dependency = (0x40, struct.pack("<B3xBBHI", 1, 255, 255, 0xFFFF, 0))
    pieces = genuine.pieces.but(protected=(genuine.pieces.protected[0], dependency, *genuine.pieces.protected[1:]))
    return genuine.shows(image=pieces.whole())


@TLVS.attack("padding of a dependency that nobody reads", code="image.dependency")
def fill_the_padding_of_a_dependency(genuine: Genuine) -> Presented:
    dependency = (0x40, struct.pack("<B3sBBHI", 1, b"abc", 1, 0, 0, 0))
    pieces = genuine.pieces.but(protected=(genuine.pieces.protected[0], dependency, *genuine.pieces.protected[1:]))
    return genuine.shows(image=pieces.whole())


@TLVS.attack("an empty log has no entry that could be missing", code="image.log-size")
def name_an_empty_audit_log(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0xA3, lambda value: bytes(8) + value[8:]).whole())


@TLVS.attack("a reader of u8 types takes 0xFF24 for 0x24", code="image.tlv-set", by=Attacker.STRANGER)
def hide_a_type_in_the_padding_of_another(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x24, lambda value: value, becomes=0xFF24).whole())


@TLVS.attack("bytes inside a signature TLV that no signature covers", code="image.tlv-length")
def lengthen_the_signature(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x24, lambda value: value + b"\x00").whole())


@TLVS.attack("comparing no bytes of a hash always succeeds", code="image.tlv-length")
def empty_the_image_hash(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x10, lambda _: b"").whole())


@TLVS.attack("the first byte of a hash is soon found", code="image.tlv-length")
def shorten_the_image_hash(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x10, lambda value: value[:1]).whole())


@TLVS.attack("a MAC of one byte is soon found", code="image.tlv-length")
def shorten_the_wrapped_key(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x33, lambda value: value[:33] + value[64:]).whole())


@TLVS.attack("the reader copies beyond the image", code="image.tlv-overrun")
def let_a_tlv_reach_beyond_its_area(genuine: Genuine) -> Presented:
    image = bytearray(genuine.pieces.whole())
    at = len(image) - len(genuine.pieces.value(0x33)) - 2
    struct.pack_into("<H", image, at, 0xFFFF)
    return genuine.shows(image=bytes(image))


@TLVS.attack("a TLV of the next area is counted as protected", code="image.tlv-overrun")
def let_the_protected_area_overlap_the_next(genuine: Genuine) -> Presented:
    return genuine.shows(image=_with_area_size(genuine, 4))


@TLVS.attack("the last protected TLV is read and not hashed", code="image.area-size")
def let_the_protected_area_count_a_tlv_less(genuine: Genuine) -> Presented:
    return genuine.shows(image=_with_area_size(genuine, -44))


@TLVS.attack("header and area disagree: two readers hash two different ranges", code="image.area-size")
def let_the_header_count_fewer_protected_bytes(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(protected=len(area(0, genuine.pieces.protected)) - 40))


@TLVS.attack("the protected area stands there, and the header says there is none", code="image.area-magic")
def let_the_header_count_no_protected_bytes(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(protected=0))


@TLVS.attack("a reader that looks for the next area finds a second one", code="image.trailing-bytes")
def add_a_second_unprotected_area(genuine: Genuine) -> Presented:
    more = area(0x6907, ((0x24, bytes(64)),))
    return genuine.shows(image=genuine.pieces.whole() + more)


@TLVS.attack("an area without the head it counts", code="image.area-size")
def make_an_area_smaller_than_its_head(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(unprotected=()).whole() + struct.pack("<HH", 0x6907, 3))
