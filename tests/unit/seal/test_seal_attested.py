from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from typing import Any

import pytest
from rejections import rejects
from sealed_samples import (
    FULL,
    LOG_ROOT,
    LOG_SIZE,
    POLICY,
    Sealed,
    make_settings,
    new_recipient,
    new_signer,
    release_of,
    seal_model,
    value_of,
    verdict_of,
    with_value,
)

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.parse import TlvType
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.verify import Companions, Trust, verify


def rejects_companions(sealed: Sealed, **changed: bytes) -> str:
    companions = dataclasses.replace(sealed.companions, **changed)
    return rejects(sealed.image, trust=sealed.trust, companions=companions)


def rejects_release(sealed: Sealed, **changed: Any) -> str:
    """With a release, rightly signed, whose `image` says something else."""
    payload = release_of(
        sealed.image, verdict_of(sealed.model), recipient=sealed.recipient, settings=sealed.settings, **changed
    )
    return rejects_companions(sealed, release=dsse.sign(payload, [sealed.signer]))


def rejects_verdict(verdict: Callable[[bytes], bytes]) -> str:
    """Of an image that was sealed under this verdict."""
    sealed = seal_model(64, verdict=verdict)
    return rejects(sealed.image, trust=sealed.trust, companions=sealed.companions)


def test_companions_of_another_run_are_rejected(small: Sealed) -> None:
    other = seal_model(80, signer=small.signer, recipient=small.recipient)
    assert rejects_companions(small, release=other.release) == "release.image"
    assert rejects_companions(small, verdict=other.verdict) == "verdict.digest"
    assert rejects_companions(small, policy=POLICY + b" ") == "policy.mismatch"
    assert rejects_companions(small, model=other.model) == "model.mismatch"
    assert rejects_companions(small, model=small.model + b"\x00") == "model.mismatch"


def test_a_model_of_another_length_than_the_image_says_is_rejected(small: Sealed) -> None:
    shorter = struct.pack("<I", 63) + value_of(small.image, TlvType.MODEL)[4:]
    image = with_value(small.image, TlvType.MODEL, shorter)
    assert rejects(image, trust=small.trust, companions=Companions(model=small.model)) == "model.mismatch"


def test_verdict_and_release_cannot_take_each_others_place(small: Sealed) -> None:
    assert rejects_companions(small, release=small.verdict) == "attestation.predicate-type"
    assert rejects_companions(small, verdict=small.release) == "attestation.predicate-type"


def test_attestations_that_strangers_signed_are_rejected(small: Sealed) -> None:
    stranger, verdict = new_signer(), verdict_of(small.model)
    assert rejects_companions(small, verdict=dsse.sign(verdict, [stranger])) == "attestation.signature"
    release = release_of(small.image, verdict, recipient=small.recipient)
    assert rejects_companions(small, release=dsse.sign(release, [stranger])) == "attestation.signature"


def test_each_role_has_its_own_keys(small: Sealed) -> None:
    verdicts, releases = new_signer(), new_signer("p256")
    trust = Trust((small.signer.public,), Quorum((verdicts.public,)), Quorum((releases.public,)))
    verdict = verdict_of(small.model)
    release = release_of(small.image, verdict, recipient=small.recipient)
    right = Companions(dsse.sign(release, [releases]), dsse.sign(verdict, [verdicts]))
    verify(small.image, trust=trust, companions=right)
    wrong = Companions(dsse.sign(release, [verdicts]), dsse.sign(verdict, [releases]))
    assert rejects(small.image, trust=trust, companions=wrong) == "attestation.signature"


def test_a_quorum_needs_as_many_distinct_keys(small: Sealed) -> None:
    key = small.signer.public
    two = dataclasses.replace(small.trust, release=Quorum((key, new_signer().public), 2))
    assert rejects(small.image, trust=two, companions=small.companions) == "attestation.signature"
    twice = dsse.sign(
        release_of(small.image, verdict_of(small.model), recipient=small.recipient), [small.signer, small.signer]
    )
    companions = dataclasses.replace(small.companions, release=twice)
    assert rejects(small.image, trust=two, companions=companions) == "attestation.signature"


def test_a_release_for_another_verdict_is_rejected(small: Sealed) -> None:
    payload = release_of(small.image, b"another verdict", recipient=small.recipient)
    assert rejects_companions(small, release=dsse.sign(payload, [small.signer])) == "release.verdict"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"sha256": "00" * 32}, "release.image"),
        ({"version": "1.4.0"}, "release.version"),
        ({"version": 1}, "release.version"),
        ({"security_counter": 8}, "release.security-counter"),
        ({"security_counter": 7.0}, "release.security-counter"),
        ({"security_counter": "7"}, "release.security-counter"),
        ({"signer": "00" * 32}, "release.signer"),
        ({"signer": None}, "release.signer"),
        ({"device": {"vendor": "wearables.example.com", "class": None, "depends_on": None}}, "release.device"),
        ({"device": {}}, "attestation.predicate"),
        ({"device": []}, "attestation.predicate"),
        ({"device": {"vendor": 1, "class": None, "depends_on": None}}, "attestation.predicate"),
    ],
)
def test_a_release_that_says_something_else_than_the_image_is_rejected(
    small: Sealed, changed: dict[str, Any], code: str
) -> None:
    assert rejects_release(small, **changed) == code


def test_true_is_not_a_counter_of_one() -> None:
    sealed = seal_model(16, settings=make_settings(security_counter=1))
    assert rejects_release(sealed, security_counter=True) == "release.security-counter"


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("vendor", "others.example.com", "release.device"),
        ("vendor", None, "release.device"),
        ("vendor", "NOT A DOMAIN", "attestation.predicate"),
        ("class", "wrist-3", "release.device"),
        ("class", None, "release.device"),
        ("class", ["wrist-2"], "attestation.predicate"),
        ("depends_on", None, "release.device"),
        ("depends_on", {"image": 1, "version": "2.0.3"}, "release.device"),
        ("depends_on", {"image": 2, "version": "2.0.3+9"}, "release.device"),
        ("depends_on", {"image": True, "version": "2.0.3+9"}, "attestation.predicate"),
        ("depends_on", {"image": 1, "version": "2"}, "attestation.predicate"),
        ("depends_on", {"image": 256, "version": "2.0.3+9"}, "attestation.predicate"),
        ("depends_on", {"image": 1, "version": "2.0.3+9", "more": 1}, "attestation.predicate"),
        ("depends_on", {"image": 1}, "attestation.predicate"),
        ("more", 1, "attestation.predicate"),
    ],
)
def test_a_release_for_another_device_is_rejected(full: Sealed, key: str, value: Any, code: str) -> None:
    least = {"image": 1, "version": "2.0.3+9"}
    device = {"vendor": FULL.vendor, "class": FULL.device_class, "depends_on": least}
    assert rejects_release(full, device=device | {key: value}) == code


def test_a_release_without_a_device_is_rejected_for_an_image_that_has_one(full: Sealed) -> None:
    assert rejects_release(full, device=None) == "release.device"


def test_a_release_for_another_recipient_is_rejected_by_whoever_opens_it(small: Sealed) -> None:
    payload = release_of(small.image, verdict_of(small.model), recipient=new_recipient())
    companions = Companions(release=dsse.sign(payload, [small.signer]))
    verify(small.image, trust=small.trust, companions=companions)
    code = rejects(small.image, trust=small.trust, companions=companions, recipient=small.recipient)
    assert code == "release.recipient"


@pytest.mark.parametrize("outcome", ["FAIL", "INCONCLUSIVE", "pass", "", None, ["PASS"]])
def test_an_image_sealed_under_a_verdict_that_did_not_pass_is_rejected(outcome: Any) -> None:
    assert rejects_verdict(lambda model: verdict_of(model, verdict={"outcome": outcome})) == "verdict.outcome"


@pytest.mark.parametrize(
    "trail",
    [
        {"size": LOG_SIZE + 1, "root": LOG_ROOT},
        {"size": LOG_SIZE, "root": "00" * 32},
        {"size": float(LOG_SIZE), "root": LOG_ROOT},
        {"size": str(LOG_SIZE), "root": LOG_ROOT},
        {"size": LOG_SIZE, "root": None},
    ],
)
def test_an_image_sealed_under_a_verdict_about_something_else_is_rejected(trail: dict[str, Any]) -> None:
    assert rejects_verdict(lambda _: verdict_of(b"another model")) == "verdict.model"
    assert rejects_verdict(lambda model: verdict_of(model, policy=b"another policy")) == "verdict.policy"
    assert rejects_verdict(lambda model: verdict_of(model, trail=trail)) == "verdict.log"


def test_an_attestation_without_the_values_that_are_relied_on_is_rejected(small: Sealed) -> None:
    bare = make_statement([Subject("firmware.bin", sha256_hex(small.image))], RELEASE_TYPE, {"verdict": "PASS"})
    assert rejects_companions(small, release=dsse.sign(bare, [small.signer])) == "attestation.predicate"
    assert rejects_verdict(
        lambda model: make_statement([Subject("m", sha256_hex(model))], VERDICT_TYPE, {"policy": {}})
    ) == ("attestation.predicate")
    assert rejects_verdict(lambda model: verdict_of(model, trail=None)) == "attestation.predicate"


def test_the_subjects_name_no_digest_in_place_of_another(small: Sealed) -> None:
    # The release's own words name the image; a subject list that does not is a release of something else.
    predicate = {
        "verdict": {"sha256": sha256_hex(verdict_of(small.model))},
        "image": {"sha256": sha256_hex(small.image), "signer": fingerprint(small.signer.public)},
    }
    payload = make_statement([Subject("firmware.bin", "00" * 32)], RELEASE_TYPE, predicate)
    assert rejects_companions(small, release=dsse.sign(payload, [small.signer])) == "release.image"
