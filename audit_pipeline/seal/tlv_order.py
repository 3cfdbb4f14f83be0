"""Which TLVs an area holds, in which order: places that are filled one after the other, each at most once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.parse import Tlv, rejected

_SHOWN = 16


@dataclass(frozen=True)
class Place:
    """Exactly one entry of one of these types, or perhaps none where it is optional."""

    types: tuple[int, ...]
    optional: bool = False

    def __str__(self) -> str:
        """As messages show it; brackets mean optional."""
        text = " or ".join(f"0x{kind:02x}" for kind in self.types)
        return f"[{text}]" if self.optional else text


def in_order(found: Sequence[Tlv], places: Sequence[Place], area: str, start: int) -> dict[int, Tlv]:
    """The entries of an area by type, if they fill the places in their order and nothing is left over.

    Args:
        found: the entries as they stand in the image.
        places: no type in two of them.
        area: what the area is called in messages.
        start: where it begins in the image, for an area without entries.

    Raises:
        RejectedError: `image.tlv-set`, at the first entry that has no place, or where one that is missing would be.
    """
    rest = list(places)
    for tlv in found:
        while rest and rest[0].optional and tlv.type not in rest[0].types:
            rest.pop(0)
        if not rest or tlv.type not in rest.pop(0).types:
            raise _wrong_set(found, places, area, tlv.offset)
    if not all(place.optional for place in rest):
        raise _wrong_set(found, places, area, found[-1].end if found else start)
    return {tlv.type: tlv for tlv in found}


def _wrong_set(found: Sequence[Tlv], places: Sequence[Place], area: str, offset: int) -> RejectedError:
    shown = [f"0x{tlv.type:02x}" for tlv in found[:_SHOWN]] + ["…"] * (len(found) > _SHOWN)
    return rejected("tlv-set", f"the {area} TLVs are ({', '.join(shown)}), not ({', '.join(map(str, places))})", offset)
