"""`audit waive`: one rule, one group, one model, one policy, two people, and an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from review_samples import MODEL, NOW, REFUSED, RELEASED, Ward

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.cli import reviewer
from audit_pipeline.errors import InputError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.people.waivers import waivers_in
from audit_pipeline.review.waiving import Terms, prepare_waiver
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.load import load_signer_public
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.statement import Subject
from audit_pipeline.seal.trust.load import load_trust
from audit_pipeline.seal.waiver import WAIVER_TYPE, WaivedPolicy, Waiver, waiver_payload
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.signed_entry import sign_entry

IN_180_DAYS, A_SECOND_LATER = "2026-10-31T12:00:00Z", "2026-10-31T12:00:01Z"


@pytest.fixture
def words(ward: Ward) -> Callable[..., tuple[str, ...]]:
    def of(by: str | None, run: str = REFUSED, **changed: str) -> tuple[str, ...]:
        given = {
            "rule": "fairness[0]",
            "group": "sex=female",
            "limit": "0.1",
            "reason": "no other model fits; both wards were told",
            "expires": "2026-08-01T00:00:00Z",
        } | changed
        terms = tuple(word for option, value in given.items() for word in (f"--{option}", value))
        return ("waive", str(ward.run(run)), *terms, *(("--key", ward.key(by)) if by else ()), *ward.believe())

    return of


@pytest.fixture
def cosign(ward: Ward) -> Callable[..., tuple[str, ...]]:
    def of(prefix: str, by: str, run: str = REFUSED) -> tuple[str, ...]:
        return ("waive", str(ward.run(run)), "--cosign", prefix, "--key", ward.key(by), *ward.believe())

    return of


def test_two_people_sign_one_waiver(audit, ward: Ward, words, cosign) -> None:
    first = audit.json(*words("guardian"))
    (waiver,) = first["waivers"]
    assert (waiver["state"], waiver["signed_by"], waiver["missing"]) == ("unsigned", ["guardian"], 1)
    assert waiver["may_sign"] == ["doctor", "counsel"]  # not the policy's author, whose key waives elsewhere
    (step,) = first["next"]
    assert f"audit waive {ward.run(REFUSED)} --cosign {waiver['sha256'][:16]} --key KEY --trust" in step
    text = audit.text(*cosign(waiver["sha256"][:16], "doctor"))
    assert "signed by guardian, doctor" in text
    assert f"next: audit release {ward.run(REFUSED)} --policy POLICY --run NEW --trust" in text


def test_the_trail_gives_back_one_envelope_that_both_have_signed(audit, ward: Ward, words, cosign) -> None:
    digest = audit.json(*words("guardian"))["waivers"][0]["sha256"]
    audit.json(*cosign(digest[:8], "doctor"))
    with Trail.open(ward.trail, create=False) as trail:
        trail.verify()
        (waiver,) = waivers_in(trail.entries())
    assert waiver.model_sha256 == sha256_hex(MODEL)
    assert waiver.waiver.policy.sha256 == sha256_hex((ward.run(REFUSED) / "policy.yaml").read_bytes())
    both = [load_signer_public(ward.folder / f"{who}.pub.pem") for who in ("guardian", "doctor")]
    assert sha256_hex(dsse.verify(waiver.envelope, Quorum(tuple(both), threshold=2), where="x")) == digest


def test_what_is_about_to_be_signed_is_said_before(audit, words) -> None:
    text = audit.text(*words("guardian"))
    assert "found: FAIL, fell by 0.08" in text
    assert "0.1 is allowed for sex=female instead of 0.05: no other model fits" in text


def test_waivers_are_listed_with_who_still_must_sign(audit, ward: Ward, words) -> None:
    listing = ("waive", str(ward.run(REFUSED)), *ward.believe())
    assert "the trail has no waiver for this model and policy" in audit.text(*listing)
    audit.json(*words("guardian"))
    audit.json(*words("doctor", limit="0.2"))
    found = audit.json(*listing)
    assert [(each["limit"], each["signed_by"]) for each in found["waivers"]] == [(0.1, ["guardian"]), (0.2, ["doctor"])]
    assert (found["entry"], len(found["next"])) == (None, 2)
    assert "1 more of doctor, counsel must" in audit.text(*listing)


def test_a_waiver_of_a_limit_from_below_allows_less(audit, words) -> None:
    assert audit.json(*words("guardian", rule="fairness[1]", group="overall", limit="0.8"))["waivers"]
    assert audit.error(*words("guardian", rule="fairness[1]", group="overall", limit="0.95")) == "waiver.limit"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rule": "fairness[9]"}, "waiver.finding"),
        ({"rule": "fairness"}, "waiver.finding"),
        ({"group": "sex=woman"}, "waiver.finding"),
        ({"group": "overall"}, "waiver.passed"),
        ({"rule": "privacy[0]", "group": "overall", "limit": "5"}, "waiver.never"),
        ({"limit": "0.05"}, "waiver.limit"),
        ({"limit": "0.04"}, "waiver.limit"),
        ({"limit": "-1"}, "waiver.limit"),
        ({"limit": "0.09"}, "waiver.insufficient"),
        ({"group": "sex=male", "limit": "1"}, "waiver.insufficient"),
        ({"limit": "nan"}, "waiver.format"),
        ({"limit": "inf"}, "waiver.format"),
        ({"expires": A_SECOND_LATER}, "waiver.too-long"),
        ({"expires": NOW}, "waiver.expired"),
        ({"expires": "2026-01-01T00:00:00Z"}, "waiver.expired"),
        ({"expires": "2026-08-01"}, "waiver.format"),
        ({"expires": "2026-08-01T00:00:00"}, "waiver.format"),
        ({"expires": "2026-08-01T00:00:00+02:00"}, "waiver.format"),
        ({"expires": "2026-02-30T00:00:00Z"}, "waiver.format"),
        ({"reason": ""}, "waiver.format"),
        ({"reason": "two\nlines"}, "waiver.format"),
    ],
)
def test_what_cannot_be_waived_is_refused_before_a_passphrase_is_asked(
    audit, words, changed: dict[str, str], code: str, monkeypatch
) -> None:
    def asked(*_: object, **__: object) -> bytes:
        raise AssertionError("asked for a passphrase")

    monkeypatch.setattr(reviewer, "read_passphrase", asked)
    size = audit.size()
    assert audit.error(*words("guardian", **changed)) == code
    assert audit.size() == size


def test_a_waiver_may_last_180_days_and_be_wider_than_anything_measured(audit, words) -> None:
    assert audit.json(*words("guardian", expires=IN_180_DAYS, limit="7"))["waivers"]


def test_the_hint_says_from_which_limit_on_it_holds(audit, words) -> None:
    hint = audit.json(*words("guardian", limit="0.06"), code=2)["error"]["hint"]
    assert hint.startswith("0.1 is the end of its interval")
    hint = audit.json(*words("guardian", group="sex=male", limit="0.9"), code=2)["error"]["hint"]
    assert hint.startswith("too few rows or people")


def test_what_can_be_waived_is_said(audit, words) -> None:
    hint = audit.json(*words("guardian", rule="x"), code=2)["error"]["hint"]
    assert "--rule 'fairness[0]' --group 'sex=female'; " in hint
    assert "privacy" not in hint


def test_a_release_has_nothing_to_waive(audit, words) -> None:
    assert audit.error(*words("guardian", run=RELEASED)) == "waiver.passed"


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("author", "waiver.author"),
        ("maker", "waiver.author"),
        ("nurse", "waiver.not-an-approver"),
        ("stranger", "waiver.not-an-approver"),
    ],
)
def test_who_made_it_and_who_is_not_trusted_to_does_not_waive(audit, words, cosign, by: str, code: str) -> None:
    assert audit.error(*words(by)) == code
    digest = audit.json(*words("guardian"))["waivers"][0]["sha256"]
    assert audit.error(*cosign(digest, by)) == code


def test_one_person_signs_once(audit, words, cosign) -> None:
    digest = audit.json(*words("guardian"))["waivers"][0]["sha256"]
    size = audit.size()
    assert audit.error(*cosign(digest, "guardian")) == "waiver.twice"
    assert audit.error(*words("guardian")) == "waiver.twice"  # the same words in the same second: the same waiver
    assert audit.size() == size


@pytest.mark.parametrize("prefix", ["", "zz", "0" * 64, "/"])
def test_a_waiver_that_is_not_there_is_not_cosigned(audit, words, cosign, prefix: str) -> None:
    audit.json(*words("guardian"))
    assert audit.error(*cosign(prefix, "doctor")) == "waiver.unknown"


def test_a_prefix_of_two_waivers_names_neither(audit, words, cosign) -> None:
    begins: dict[str, int] = {}
    for limit in range(1, 18):
        digest = audit.json(*words("guardian", limit=str(limit)))["waivers"][0]["sha256"]
        begins[digest[0]] = begins.get(digest[0], 0) + 1
        if begins[digest[0]] > 1:
            assert audit.error(*cosign(digest[0], "doctor")) == "waiver.unknown"
            return
    raise AssertionError("seventeen digests begin with one of sixteen digits")


def test_a_waiver_is_cosigned_before_it_ends_and_then_only_listed(audit, ward: Ward, words, cosign, set_clock) -> None:
    digest = audit.json(*words("guardian"))["waivers"][0]["sha256"]
    set_clock("2026-08-01T00:00:00Z")
    assert audit.error(*cosign(digest, "doctor")) == "waiver.expired"
    listed = audit.json("waive", str(ward.run(REFUSED)), *ward.believe())
    assert (listed["waivers"][0]["state"], listed["next"]) == ("expired", [])


@pytest.mark.parametrize("left_out", ["rule", "group", "limit", "reason", "expires"])
def test_a_waiver_needs_all_of_its_terms(audit, words, left_out: str) -> None:
    given = list(words("guardian"))
    place = given.index(f"--{left_out}")
    assert audit.error(*given[:place], *given[place + 2 :]) == "waiver.options"


def test_terms_without_a_key_and_terms_of_ones_own_beside_another_s_are_refused(audit, words, cosign) -> None:
    assert audit.error(*words(None)) == "waiver.options"
    assert audit.error(*cosign("ab", "doctor"), "--limit", "0.1") == "waiver.options"
    assert audit.error(*cosign("ab", "doctor")[:4], *cosign("ab", "doctor")[6:]) == "waiver.options"


def test_without_a_waiver_role_nobody_waives(audit, ward: Ward, words) -> None:
    assert audit.error(*words("guardian")[: -len(ward.believe())]) == "trust.no-people"


def test_a_withdrawn_origin_and_an_altered_folder_are_not_waived(audit, ward: Ward, words) -> None:
    (ward.run(REFUSED) / "evidence.json").write_bytes((ward.run(RELEASED) / "evidence.json").read_bytes())
    assert audit.error(*words("guardian"), code=1).startswith("gate.")


def enter_by_hand(ward: Ward, **changed: Any) -> str:
    """A waiver with one signature, as somebody could enter it who does not ask `audit waive`; its digest."""
    values: dict[str, Any] = {
        "policy": WaivedPolicy(sha256=sha256_hex((ward.run(REFUSED) / "policy.yaml").read_bytes())),
        "rule": "fairness[0]",
        "group": "sex=female",
        "limit": 0.1,
        "reason": "x",
        "issued": NOW,
        "expires": "2026-08-01T00:00:00Z",
    }
    model = changed.pop("model", sha256_hex(MODEL))
    payload = waiver_payload(Waiver(**values | changed), Subject("model.tflite", model))
    with Trail.open(ward.trail) as trail:
        trail.append("waiver", REFUSED, NOW, sign_entry(payload, ward.signer("guardian"), WAIVER_TYPE))
    return sha256_hex(payload)


@pytest.mark.parametrize("changed", [{"model": "cc" * 32}, {"policy": WaivedPolicy(sha256="dd" * 32)}])
def test_a_waiver_for_another_model_or_policy_is_neither_listed_nor_cosigned(
    audit, ward: Ward, cosign, changed: dict[str, Any]
) -> None:
    digest = enter_by_hand(ward, **changed)
    assert audit.json("waive", str(ward.run(REFUSED)), *ward.believe())["waivers"] == []
    assert audit.error(*cosign(digest, "doctor")) == "waiver.unknown"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"issued": "2026-05-05T12:00:00Z"}, "waiver.not-yet"),
        ({"issued": "2026-01-01T00:00:00Z"}, "waiver.too-long"),
        ({"limit": 0.04}, "waiver.limit"),
        ({"rule": "privacy[0]", "group": "overall", "limit": 9.0}, "waiver.never"),
        ({"group": "overall"}, "waiver.passed"),
    ],
)
def test_nobody_cosigns_what_they_could_not_have_made(
    audit, ward: Ward, cosign, changed: dict[str, Any], code: str
) -> None:
    assert audit.error(*cosign(enter_by_hand(ward, **changed), "doctor")) == code


def test_a_signature_in_another_s_name_is_noticed(audit, ward: Ward, words) -> None:
    audit.json(*words("guardian"))
    with Trail.open(ward.trail) as trail:
        (entry,) = trail.entries(kind="waiver")
        forged = entry.body | {"signer": ward.print_of("doctor")}
        trail.append("waiver", REFUSED, NOW, forged)
    assert audit.error("waive", str(ward.run(REFUSED)), *ward.believe(), code=1) == "waiver.signature"


def test_of_one_person_at_two_desks_one_signature_is_entered(ward: Ward) -> None:
    loaded = load_trust(ward.folder / "trust.yaml", (load_signer_public(ward.folder / "root.pub.pem"),), NOW)
    demands = Demands(loaded.trust(), NOW)
    terms = Terms("fairness[0]", "sex=female", 0.1, "no other model fits", "2026-08-01T00:00:00Z")
    desks = [
        prepare_waiver(ward.run(REFUSED), terms, demands=demands, document=loaded.document, trail=ward.trail)
        for _ in range(2)
    ]
    guardian = ward.signer("guardian")
    assert desks[0].enter(guardian, ward.trail).waiver.missing == 1
    with pytest.raises(InputError) as caught:
        desks[1].enter(guardian, ward.trail)
    assert caught.value.code == "waiver.twice"
    assert desks[1].enter(ward.signer("doctor"), ward.trail).waiver.missing == 0
