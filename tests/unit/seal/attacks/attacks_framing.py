"""The header, the sizes, and whatever stands before or behind the image."""

from __future__ import annotations

import struct

from attack import Attacker, Family, View
from genuine import Genuine, Presented

FRAMING = Family("header, sizes, stray bytes")


@FRAMING.attack("a place to carry data under a valid signature", code="image.trailing-bytes")
def append_bytes(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.run.image + b"exfiltrated")


@FRAMING.attack("one byte is noise", code="image.trailing-bytes")
def append_one_zero(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.run.image + b"\x00")


@FRAMING.attack("a loader that takes the last image of a file", code="image.trailing-bytes", by=Attacker.STRANGER)
def append_another_image(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.run.image + genuine.stranger.image)


@FRAMING.attack("a loader that looks for the magic number", code="image.magic", by=Attacker.STRANGER)
def prepend_another_loader(genuine: Genuine) -> Presented:
    return genuine.shows(image=b"\x7fELF" + genuine.run.image)


@FRAMING.attack("a reader of the other byte order", code="image.magic")
def turn_the_magic_number_round(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.run.image[3::-1] + genuine.run.image[4:])


@FRAMING.attack("nothing to complain of", code="image.truncated")
def present_no_byte_at_all(genuine: Genuine) -> Presented:
    return genuine.shows(image=b"")


@FRAMING.attack("what is missing is not compared", code="image.truncated")
def cut_the_last_byte(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.run.image[:-1])


@FRAMING.attack("a reader that stops at the header", code="image.truncated")
def cut_behind_the_header(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.run.image[:32])


@FRAMING.attack("room between header and payload that nobody reads", code="image.header-size")
def enlarge_the_header(genuine: Genuine) -> Presented:
    pieces = genuine.pieces
    padded = pieces.but(payload=bytes(480) + pieces.payload)
    return genuine.shows(image=padded.whole(size=512, payload=len(pieces.payload)))


@FRAMING.attack("the header is part of the payload", code="image.header-size")
def shrink_the_header_to_nothing(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(size=0, payload=len(genuine.pieces.payload) + 32))


@FRAMING.attack("the image is written over the bootloader", code="image.load-address")
def give_a_load_address(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(load=0x0800_0000))


@FRAMING.attack("reserved today, a meaning tomorrow", code="image.header-reserved")
def fill_the_reserved_field(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(reserved=1))


@FRAMING.attack("the payload swallows the TLVs", code="image.truncated")
def let_the_payload_reach_beyond_the_image(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(payload=len(genuine.run.image)))


@FRAMING.attack("32 bits overflow in the sum of the sizes", code="image.truncated")
def let_the_sum_of_the_sizes_overflow(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(payload=0xFFFF_FFF0))


@FRAMING.attack("the end of the payload is read as a TLV area", code="image.area-magic")
def let_the_header_count_less_payload(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(payload=len(genuine.pieces.payload) - 16))


@FRAMING.attack("an image without a model", code="image.payload-size")
def present_an_empty_payload(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(payload=b"").whole())


@FRAMING.attack("a payload that is no whole number of blocks", code="image.payload-size")
def cut_the_payload_by_a_byte(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(payload=genuine.pieces.payload[:-1]).whole())


@FRAMING.attack("the last layer is missing, the sizes agree", code="image.model-length")
def cut_the_payload_by_a_block(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(payload=genuine.pieces.payload[:-16]).whole())


@FRAMING.attack("the model ends where the attacker says", code="image.model-length")
def give_the_model_no_length(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0xA1, lambda value: bytes(4) + value[4:]).whole())


@FRAMING.attack("within the last block any length fits", code="release.image", view=View.ATTESTED)
def shorten_the_model_within_its_last_block(genuine: Genuine) -> Presented:
    shorter = struct.pack("<I", len(genuine.run.model) - 1)
    return genuine.shows(image=genuine.pieces.changed(0xA1, lambda value: shorter + value[4:]).whole())


@FRAMING.attack("an old image that calls itself new", code="release.image", view=View.ATTESTED)
def raise_the_version(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(major=255))


@FRAMING.attack("no genuine update is ever new enough again", code="release.image", view=View.ATTESTED)
def raise_the_security_counter(genuine: Genuine) -> Presented:
    highest = struct.pack("<I", 0xFFFF_FFFF)
    return genuine.shows(image=genuine.pieces.changed(0x50, lambda _: highest).whole())


@FRAMING.attack("rollback protection never sees the image as new", code="release.image", view=View.ATTESTED)
def lower_the_security_counter(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x50, lambda _: bytes(4)).whole())


@FRAMING.attack("the image shows a verdict that it was not sealed under", code="release.image", view=View.ATTESTED)
def name_another_verdict(genuine: Genuine) -> Presented:
    other = genuine.older_pieces.value(0xA0)
    return genuine.shows(image=genuine.pieces.changed(0xA0, lambda _: other).whole())


@FRAMING.attack("the image shows a laxer policy", code="release.image", view=View.ATTESTED)
def name_another_policy(genuine: Genuine) -> Presented:
    other = genuine.older_pieces.value(0xA2)
    return genuine.shows(image=genuine.pieces.changed(0xA2, lambda _: other).whole())


@FRAMING.attack("the run was entered in a log that nobody watches", code="release.image", view=View.ATTESTED)
def name_another_head_of_the_audit_log(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0xA3, lambda value: value[:8] + bytes(32)).whole())
