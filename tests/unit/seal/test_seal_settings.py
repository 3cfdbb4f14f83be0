from __future__ import annotations

import uuid
from typing import Any

import pytest
from imgtool.image import parse_uuid
from sealed_samples import make_settings

from audit_pipeline.errors import InputError
from audit_pipeline.seal.settings import Binding, Dependency, class_uuid, vendor_uuid
from audit_pipeline.seal.version import ImageVersion

VENDOR = "wearables.example.com"


def code_of(**changed: Any) -> str:
    with pytest.raises(InputError) as caught:
        make_settings(**changed)
    return caught.value.code


@pytest.mark.parametrize("counter", [-1, 1 << 32])
def test_a_counter_that_is_no_u32_is_refused(counter: int) -> None:
    assert code_of(security_counter=counter) == "seal.counter-range"


@pytest.mark.parametrize("bits", [0, 64, 192, 512])
def test_another_length_of_aes_is_refused(bits: int) -> None:
    assert code_of(aes_bits=bits) == "seal.aes-bits"


@pytest.mark.parametrize("size", [0, -1])
def test_a_slot_that_holds_nothing_is_refused(size: int) -> None:
    assert code_of(slot_bytes=size) == "seal.slot-range"


@pytest.mark.parametrize("image", [-1, 256])
def test_a_dependency_on_an_impossible_image_is_refused(image: int) -> None:
    with pytest.raises(InputError) as caught:
        Dependency(image, ImageVersion(1, 0, 0))
    assert caught.value.code == "seal.dependency-range"


def test_the_uuids_are_those_that_imgtool_makes_of_the_same_names() -> None:
    vendor = parse_uuid(uuid.NAMESPACE_DNS, VENDOR)
    assert vendor_uuid(VENDOR).bytes == vendor
    assert class_uuid(VENDOR, "wrist 2").bytes == parse_uuid(uuid.UUID(bytes=vendor), "wrist 2")
    settings = make_settings(vendor=VENDOR, device_class="wrist 2")
    assert (settings.vendor_id, settings.class_id) == (vendor_uuid(VENDOR), class_uuid(VENDOR, "wrist 2"))
    assert make_settings(vendor=VENDOR).class_id is None
    assert make_settings().vendor_id is None


def test_one_class_name_of_two_vendors_is_two_classes() -> None:
    assert class_uuid("a.example", "wrist-2") != class_uuid("b.example", "wrist-2")


@pytest.mark.parametrize(
    "vendor",
    [
        "",
        "example",
        "Example.com",
        "example.com.",
        "-a.com",
        "a-.com",
        "a..com",
        "ex ample.com",
        "example.com\n",
        "exämple.com",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        f"{'a' * 64}.com",
        ".".join(["a" * 60] * 5),
    ],
)
def test_a_vendor_that_is_no_domain_name_is_refused(vendor: str) -> None:
    assert code_of(vendor=vendor) == "seal.vendor-form"


@pytest.mark.parametrize(
    "name", ["", "a" * 65, "a\nb", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B8109DAD11D180B400C04FD430C8"]
)
def test_a_class_that_is_no_name_is_refused(name: str) -> None:
    assert code_of(vendor=VENDOR, device_class=name) == "seal.class-form"


def test_a_class_without_the_vendor_whose_it_is_is_refused() -> None:
    assert code_of(device_class="wrist-2") == "seal.class-without-vendor"


@pytest.mark.parametrize("digest", ["", "ab", "g" * 64, "a0" * 33, "a0 " * 32, "A0" * 32])
@pytest.mark.parametrize("name", ["verdict_sha256", "policy_sha256", "log_root"])
def test_a_binding_takes_sha256_digests_only(name: str, digest: str) -> None:
    given: dict[str, Any] = {
        "verdict_sha256": "a0" * 32,
        "policy_sha256": "a2" * 32,
        "log_size": 1,
        "log_root": "a3" * 32,
    }
    Binding(**given)
    with pytest.raises(ValueError):
        Binding(**(given | {name: digest}))


@pytest.mark.parametrize("size", [0, -1, 1 << 64])
def test_a_binding_takes_the_head_of_a_log_that_has_entries(size: int) -> None:
    with pytest.raises(ValueError):
        Binding("a0" * 32, "a2" * 32, size, "a3" * 32)
