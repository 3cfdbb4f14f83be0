from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from sealed_samples import (
    COMBINATIONS,
    FULL,
    LOG_ROOT,
    LOG_SIZE,
    POLICY,
    Sealed,
    flip,
    make_settings,
    new_recipient,
    new_signer,
    reassemble,
    release_of,
    resealed,
    sample,
    seal_model,
    truncations,
    value_of,
    verdict_of,
    with_value,
)

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.ecies import RecipientKind
from audit_pipeline.seal.key_forms import fingerprint, kind_of
from audit_pipeline.seal.parse import TlvType, parse
from audit_pipeline.seal.profile import SignatureKind
from audit_pipeline.seal.quorum import Quorum
from audit_pipeline.seal.settings import AesBits
from audit_pipeline.seal.signer import Signer
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.verify import Companions, Trust, verify
from audit_pipeline.seal.waiver import WaivedPolicy, Waiver, waiver_payload


def rejection(image: bytes, **given: Any) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        verify(image, **given)
    assert caught.value.where is not None
    return caught.value


def rejects(image: bytes, **given: Any) -> str:
    return rejection(image, **given).code


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


@pytest.mark.parametrize(("signer", "recipient", "bits"), COMBINATIONS)
def test_an_image_with_all_its_companions_holds(signer: SignatureKind, recipient: RecipientKind, bits: AesBits) -> None:
    made = sample(signer, recipient, bits)
    report = verify(made.image, trust=made.trust, companions=made.companions, recipient=made.recipient)
    assert report.level == "full"
    assert {check.state for check in report.checks} == {"passed"}
    assert report.image_sha256 == sha256_hex(made.image)
    assert report.binds_every_byte


def test_what_was_not_given_is_reported_as_not_checked(small: Sealed) -> None:
    report = verify(small.image, trust=small.trust)
    assert report.level == "public"
    unchecked = [check.name for check in report.checks if check.state == "not-checked"]
    assert unchecked == ["release", "verdict", "waivers", "policy", "model", "decryption"]
    assert not report.binds_every_byte
    assert verify(small.image, trust=small.trust, companions=Companions(small.release)).binds_every_byte
    assert verify(small.image, trust=small.trust, recipient=small.recipient).binds_every_byte


@pytest.mark.parametrize("combination", [COMBINATIONS[0], COMBINATIONS[-1]])
def test_the_public_level_with_the_release_rejects_every_flipped_bit_and_says_where(
    combination: tuple[SignatureKind, RecipientKind, AesBits],
) -> None:
    signer, recipient, bits = combination
    sealed = seal_model(1664, signer_kind=signer, recipient_kind=recipient, aes_bits=bits)
    assert len(sealed.image) >= 2048
    companions = Companions(release=sealed.release)
    for bit in range(len(sealed.image) * 8):
        rejection(flip(sealed.image, bit), trust=sealed.trust, companions=companions)


@pytest.mark.parametrize("which", ["small", "full", "p256"])
def test_the_full_level_rejects_every_flipped_bit_without_any_attestation(
    which: str, request: pytest.FixtureRequest
) -> None:
    sealed = request.getfixturevalue(which)
    for bit in range(len(sealed.image) * 8):
        rejection(flip(sealed.image, bit), trust=sealed.trust, recipient=sealed.recipient)


def test_the_public_level_alone_misses_exactly_what_the_docs_say(small: Sealed) -> None:
    missed = set()
    for bit in range(len(small.image) * 8):
        try:
            verify(flip(small.image, bit), trust=small.trust)
        except RejectedError:
            continue
        missed.add(bit)
    version, payload, counter = range(20, 28), range(32, 96), range(104, 108)
    verdict, model_digest, policy, log = range(112, 144), range(152, 184), range(188, 220), range(224, 264)
    ephemeral, mac_and_key = range(412, 444), range(444, 492)
    unbound = [*version, *payload, *counter, *verdict, *model_digest, *policy, *log, *ephemeral, *mac_and_key]
    assert missed == {8 * byte + bit for byte in unbound for bit in range(8)} - {8 * 443 + 7}


def test_every_truncation_is_rejected(small: Sealed, p256: Sealed) -> None:
    for sealed in (small, p256):
        for cut in truncations(sealed.image):
            rejection(cut, trust=sealed.trust, companions=sealed.companions)


def test_any_one_of_the_trusted_keys_signs_an_image(small: Sealed, p256: Sealed) -> None:
    both = (small.signer.public, p256.signer.public)
    for sealed in (small, p256):
        verify(sealed.image, trust=dataclasses.replace(sealed.trust, image=both), companions=sealed.companions)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_another_signing_key_is_not_trusted(small: Sealed, kind: SignatureKind) -> None:
    stranger = dataclasses.replace(small.trust, image=(new_signer(kind).public,))
    error = rejection(small.image, trust=stranger)
    assert (error.code, error.where) == ("image.wrong-signer", "byte 308 of the image")
    assert rejects(small.image, trust=dataclasses.replace(small.trust, image=())) == "image.wrong-signer"


def test_a_signature_by_another_key_under_the_trusted_key_hash_is_rejected() -> None:
    for kind, tlv in (("ed25519", TlvType.ED25519), ("p256", TlvType.ECDSA)):
        made = sample(kind)  # type: ignore[arg-type]
        forged = new_signer(kind).sign_hash(value_of(made.image, TlvType.SHA256))  # type: ignore[arg-type]
        error = rejection(with_value(made.image, tlv, forged), trust=made.trust)
        assert error.code == "image.signature"


def test_a_signature_of_the_other_algorithm_under_a_trusted_key_hash_is_rejected(small: Sealed, p256: Sealed) -> None:
    trust = dataclasses.replace(small.trust, image=(small.signer.public, p256.signer.public))
    for sealed, other in ((small, p256), (p256, small)):
        tlvs = list(parse(sealed.image).unprotected)
        tlvs[2] = parse(other.image).unprotected[2]
        image = reassemble(sealed.image, unprotected=tlvs)
        assert rejects(image, trust=trust) == "image.signature-kind"


def test_the_mirrored_ecdsa_signature_is_rejected(p256: Sealed) -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = decode_dss_signature(value_of(p256.image, TlvType.ECDSA))
    mirrored = with_value(p256.image, TlvType.ECDSA, encode_dss_signature(r, order - s))
    assert rejects(mirrored, trust=p256.trust, recipient=p256.recipient) == "image.signature"


def test_another_recipient_cannot_open_the_image(small: Sealed, p256: Sealed) -> None:
    for sealed in (small, p256):
        for kind in ("x25519", "p256"):
            stranger = new_recipient(kind)  # type: ignore[arg-type]
            code = rejects(sealed.image, trust=sealed.trust, recipient=stranger)
            assert code == "image.wrong-recipient"


def test_swapped_keys_are_an_input_error(small: Sealed) -> None:
    wrong = dataclasses.replace(small.trust, image=(small.recipient.public_key(),))
    with pytest.raises(InputError):
        verify(small.image, trust=wrong)
    with pytest.raises(InputError):
        verify(small.image, trust=small.trust, recipient=small.signer)  # type: ignore[arg-type]


def test_one_key_for_both_roles_is_rejected(p256: Sealed) -> None:
    # Sealed by somebody else's tool: build() makes no such image.
    as_signer = p256.recipient
    assert kind_of(as_signer) == "p256"
    signer = Signer.of(as_signer)  # type: ignore[arg-type]
    image = resealed(p256, signer=signer)
    trust = Trust.one(signer.public)
    assert rejects(image, trust=trust, recipient=as_signer) == "image.one-key-two-roles"
    payload = release_of(image, verdict_of(p256.model), recipient=as_signer, settings=p256.settings)
    companions = Companions(release=dsse.sign(payload, [signer]))
    assert rejects(image, trust=trust, companions=companions) == "image.one-key-two-roles"


def test_companions_of_another_run_are_rejected(small: Sealed) -> None:
    other = seal_model(80, signer=small.signer, recipient=small.recipient)
    assert rejects_companions(small, release=other.release) == "release.image"
    assert rejects_companions(small, verdict=other.verdict) == "verdict.digest"
    assert rejects_companions(small, policy=POLICY + b" ") == "policy.mismatch"
    assert rejects_companions(small, model=other.model) == "model.mismatch"
    assert rejects_companions(small, model=small.model + b"\x00") == "model.mismatch"


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


NOW = "2026-06-01T12:00:00Z"


def waived(*, approvers: list[Signer], model: bytes | None = None, expires: str = "2026-07-01T00:00:00Z") -> bytes:
    waiver = Waiver(
        policy=WaivedPolicy(sha256=sha256_hex(POLICY)),
        rule="fairness[0]",
        group="overall",
        limit=0.2,
        reason="recall in the field",
        issued="2026-05-01T00:00:00Z",
        expires=expires,
    )
    subject = Subject("model.tflite", sha256_hex(sample().model if model is None else model))
    return dsse.sign(waiver_payload(waiver, subject), approvers)


def sealed_under(*waivers: bytes) -> Sealed:
    listed = [{"sha256": sha256_hex(base64.b64decode(json.loads(envelope)["payload"]))} for envelope in waivers]
    finding = {"rule": "fairness[0]", "group": {"by": [], "values": []}}
    return seal_model(64, verdict=lambda model: verdict_of(model, waivers=listed, findings=[finding]))


def test_an_image_under_a_waiver_holds_while_the_waiver_does() -> None:
    approvers = [new_signer(), new_signer("p256")]
    waiver = waived(approvers=approvers)
    sealed = sealed_under(waiver)
    trust = dataclasses.replace(sealed.trust, waiver=Quorum(tuple(one.public for one in approvers), 2))
    companions = dataclasses.replace(sealed.companions, waivers=(waiver,))
    report = verify(sealed.image, trust=trust, companions=companions, now=NOW)
    assert next(check for check in report.checks if check.name == "waivers").state == "passed"
    given = {"trust": trust, "companions": companions}
    assert rejects(sealed.image, **given, now="2026-07-01T00:00:00Z") == "waiver.expired"
    assert rejects(sealed.image, **(given | {"trust": sealed.trust}), now=NOW) == "waiver.untrusted"
    assert rejects(sealed.image, **(given | {"companions": sealed.companions}), now=NOW) == "waiver.missing"
    unchecked = verify(sealed.image, **given)
    assert next(check for check in unchecked.checks if check.name == "waivers").state == "not-checked"


def test_a_waiver_for_another_model_or_under_no_verdict_is_rejected(small: Sealed) -> None:
    approvers = [new_signer(), new_signer()]
    quorum = Quorum(tuple(one.public for one in approvers), 2)
    other = waived(approvers=approvers, model=b"another model")
    sealed = sealed_under(other)
    for one, waiver, code in ((sealed, other, "waiver.model"), (small, waived(approvers=approvers), "waiver.unlisted")):
        trust = dataclasses.replace(one.trust, waiver=quorum)
        companions = dataclasses.replace(one.companions, waivers=(waiver,))
        assert rejects(one.image, trust=trust, companions=companions, now=NOW) == code


@pytest.mark.parametrize("listed", [None, {}, "none", [1], [{"sha256": "00"}], 0, False])
def test_a_list_of_waivers_that_is_none_is_rejected(listed: Any) -> None:
    sealed = seal_model(64, verdict=lambda model: verdict_of(model, waivers=listed))
    assert rejects(sealed.image, trust=sealed.trust, companions=sealed.companions, now=NOW) == "waiver.listing"
