from __future__ import annotations

import json

import pytest
from sealed_samples import FULL, LOG_ROOT, LOG_SIZE, Sealed, reassemble

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.describe import describe
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.parse import Tlv, TlvType, parse


@pytest.mark.parametrize("which", ["small", "full", "p256"])
def test_every_entry_is_shown_where_it_stands(which: str, request: pytest.FixtureRequest) -> None:
    image = request.getfixturevalue(which).image
    shown = describe(image)
    assert json.loads(json.dumps(shown)) == shown
    assert shown["departs"] is None
    for entry in shown["protected"] + shown["unprotected"]:
        start = entry["offset"] + 4
        assert image[start : start + entry["bytes"]].hex() == entry["value"]
        assert entry["name"] != "unknown"


def test_a_sealed_image_is_described_without_any_key(small: Sealed) -> None:
    shown = describe(small.image)
    values = shown["sealed"]
    assert values["security_counter"] == 7
    assert values["signer"] == fingerprint(small.signer.public)
    assert (values["log_size"], values["log_root"]) == (LOG_SIZE, LOG_ROOT)
    assert (values["dependency"], values["vendor_id"], values["class_id"]) == (None, None, None)
    assert (values["signature"], values["encryption"]) == ("Ed25519", "ECIES-X25519, AES-128-CTR")
    assert [entry["type"] for entry in shown["protected"]] == ["0x50", "0xa0", "0xa1", "0xa2", "0xa3"]
    assert [entry["type"] for entry in shown["unprotected"]] == ["0x10", "0x01", "0x24", "0x33"]


def test_the_device_and_the_other_algorithms_are_named(full: Sealed, p256: Sealed) -> None:
    values = describe(full.image)["sealed"]
    assert values["dependency"] == {"image": 1, "version": "2.0.3+9"}
    assert (values["vendor_id"], values["class_id"]) == (str(FULL.vendor_id), str(FULL.class_id))
    values = describe(p256.image)["sealed"]
    assert (values["signature"], values["encryption"]) == ("ECDSA-P256", "ECIES-P256, AES-256-CTR")


def test_an_image_of_another_profile_is_described_and_its_departure_named(small: Sealed) -> None:
    extra = Tlv(0xFFF0, 0, b"\x01")
    shown = describe(reassemble(small.image, unprotected=[*parse(small.image).unprotected, extra]))
    assert shown["sealed"] is None
    assert "0xfff0" in shown["departs"]
    assert shown["unprotected"][-1]["name"] == "unknown"


def test_every_type_has_a_name(small: Sealed) -> None:
    image = reassemble(small.image, unprotected=[Tlv(kind, 0, b"") for kind in TlvType])
    assert all(entry["name"] != "unknown" for entry in describe(image)["unprotected"])


def test_what_is_no_image_is_rejected() -> None:
    with pytest.raises(RejectedError):
        describe(b"TFL3")
