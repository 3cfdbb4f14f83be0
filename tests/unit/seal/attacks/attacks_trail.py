"""What only a memory of earlier releases can refuse: counters that fall, keys that come again."""

from __future__ import annotations

from typing import Any

from attack import Attacker, Family, Judgement, View
from genuine import NOW, Genuine

from audit_pipeline.ephemeral_keys import require_unused
from audit_pipeline.rollback import LIMIT, device_class, require_rise
from audit_pipeline.seal.profile import read
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry

TRAIL = Family("the trail's memory")
_CLASS = device_class("wearables.example.com", "wrist-2", "")
_KEY = "a" * 64


def _sealed(counter: Any, **body: Any) -> Entry:
    """What the trail has of a release."""
    return Entry.compose(7, "seal", "released", NOW, {"security_counter": counter, "recipient": _KEY, **body})


def _enter(name: str, hope: str, code: str, judgement: Judgement, by: Attacker = Attacker.INSIDER) -> None:
    @TRAIL.attack(hope, code=code, view=View.TRAIL, by=by, name=name)
    def present(_: Genuine) -> Judgement:
        return judgement


_enter(
    "release a lower counter",
    "an old model with a known weakness, sealed anew",
    "seal.counter-not-risen",
    lambda: require_rise([_sealed(7)], _KEY, 6),
)
_enter(
    "release the same counter",
    "MCUboot lets an equal counter pass, so either image can replace the other",
    "seal.counter-not-risen",
    lambda: require_rise([_sealed(7)], _KEY, 7),
)
_enter(
    "release below the highest counter, above the last",
    "only the newest entry is looked at",
    "seal.counter-not-risen",
    lambda: require_rise([_sealed(9), _sealed(3)], _KEY, 5),
)
_enter(
    "let the counter begin again after its last value",
    "32 bits overflow",
    "seal.counter-not-risen",
    lambda: require_rise([_sealed(LIMIT)], _KEY, 0),
)
_enter(
    "encrypt for another device of the class",
    "a new recipient begins a new line of counters",
    "seal.counter-not-risen",
    lambda: require_rise([_sealed(7, device_class=_CLASS)], _CLASS, 6),
)
_enter(
    "leave the class out of an entry",
    "an entry that belongs to no line is not counted",
    "seal.counter-not-risen",
    lambda: require_rise([_sealed(7, device_class=None)], _KEY, 6),
)
_enter(
    "enter a counter as a boolean",
    "`true` is 1 to Python",
    "trail.seal-entry",
    lambda: require_rise([_sealed(True)], _KEY, 2),
)
_enter(
    "enter a counter as a word",
    "an entry that cannot be read is left out",
    "trail.seal-entry",
    lambda: require_rise([_sealed("7")], _KEY, 6),
)


@TRAIL.attack(
    "two images under one AES key: their difference is that of the models",
    code="seal.ephemeral-reused",
    view=View.TRAIL,
    by=Attacker.INSIDER,
)
def seal_on_a_machine_whose_random_numbers_repeat(genuine: Genuine) -> Judgement:
    used = read(genuine.run.image).wrapped.ephemeral.hex()
    again = SealPart(
        image_sha256=genuine.older.image_sha256,
        image_bytes=len(genuine.older.image),
        version="2.0.0",
        security_counter=8,
        signer=_KEY,
        recipient=_KEY,
        verdict_sha256=_KEY,
        ephemeral=used,
    )
    return lambda: require_unused([_sealed(7, ephemeral=used)], again)
