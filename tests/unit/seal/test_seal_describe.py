from __future__ import annotations

import json

import pytest
from sealed_samples import Sealed, reassemble

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.describe import describe
from audit_pipeline.seal.key_forms import fingerprint
from audit_pipeline.seal.parse import Tlv, parse


def test_a_sealed_image_is_described_without_any_key(small: Sealed) -> None:
    shown = describe(small.image)
    assert json.loads(json.dumps(shown)) == shown
    assert shown["departs"] is None
    assert shown["sealed"]["security_counter"] == 7
    assert shown["sealed"]["signer"] == fingerprint(small.signer.public_key())
    assert [entry["type"] for entry in shown["protected"]] == ["0x50", "0xa0", "0xa1", "0xa2"]
    assert [entry["type"] for entry in shown["unprotected"]] == ["0x10", "0x01", "0x24", "0x33"]
    for entry in shown["protected"] + shown["unprotected"]:
        start = entry["offset"] + 4
        assert small.image[start : start + entry["bytes"]].hex() == entry["value"]


def test_an_image_of_another_profile_is_described_and_its_departure_named(small: Sealed) -> None:
    extra = Tlv(0xFFF0, 0, b"\x01")
    shown = describe(reassemble(small.image, unprotected=[*parse(small.image).unprotected, extra]))
    assert shown["sealed"] is None
    assert "0xfff0" in shown["departs"]
    assert shown["unprotected"][-1]["name"] == "unknown"


def test_what_is_no_image_is_rejected() -> None:
    with pytest.raises(RejectedError):
        describe(b"TFL3")
