"""A FAIL is released under waivers or not at all; and the gate takes the release no further than they reach."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from people_world import ENDS, RULE, THEN, Case, person, policy_text
from small_world import TODAY, World, copy_trail

from audit_pipeline import run_folder
from audit_pipeline.attestations import verdict_payload
from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.decide import decide
from audit_pipeline.errors import AuditError, InputError, RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.origin import original
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.verify import Companions, verify
from audit_pipeline.seal.waiver import WAIVER_TYPE
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.signed_entry import sign_entry
from audit_pipeline.waived_release import Released


@pytest.fixture
def case(world: World, too_hard: Shipped, tmp_path: Path) -> Case:
    return Case(world, too_hard, tmp_path, world.folder / "too-hard.yaml")


@pytest.fixture(scope="module")
def first(world: World, too_hard: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Released:
    """The one release that most tests look at, each in its own copy of the trail."""
    case = Case(world, too_hard, tmp_path_factory.mktemp("release"), world.folder / "too-hard.yaml")
    case.waive()
    done = case.release()
    case.approve_all(done)
    return done


@pytest.fixture
def released(case: Case, first: Released) -> Released:
    case.trail = copy_trail(first, case.place)
    return first


def not_released(case: Case, **more: Any) -> str:
    """Why nothing was released; there is no trace of it but in the reason."""
    before = case.entries("released")
    with pytest.raises(AuditError) as caught:
        case.release(**more)
    assert case.entries("released") == before
    assert not (case.place / "reports" / "released").exists()
    return f"{caught.value.code} {caught.value}"


def test_a_refused_run_is_sealed_under_a_name_of_its_own(case: Case, released: Released) -> None:
    evidence, first = released.evidence, case.run.evidence
    assert first.verdict.outcome is Outcome.FAIL
    assert (evidence.verdict.outcome, evidence.verdict.reasons) == (Outcome.PASS, ())
    assert evidence.findings == first.findings
    assert evidence.verdict.counts[Outcome.FAIL] == 1
    assert [use.use for use in evidence.verdict.waived] == ["used"]
    assert evidence.seal is not None
    names = {path.name for path in released.folder.iterdir()}
    assert {"firmware.bin", "release.dsse.json", run_folder.waiver(evidence.waivers[0].sha256)} < names
    assert (released.folder / "model.tflite").read_bytes() == (case.run.folder / "model.tflite").read_bytes()
    kinds = ["policy", "data", "model", "candidate", "findings", "verdict", "seal", "approval", "approval"]
    assert case.entries("released") == kinds


def test_the_gate_takes_it_and_names_waiver_and_measured_run(case: Case, released: Released) -> None:
    gated = case.gate(released.folder)
    said = " ".join(gated.told.checks)
    assert f"{RULE} for overall is waived to 0.5 until {ENDS}, signed by 2 who may, before the verdict" in said
    assert "run too-hard was, and its policy stands before its findings as well" in said
    assert gated.told.warnings == ()
    assert case.gate().evidence.verdict.outcome is Outcome.FAIL


def test_the_measured_run_can_be_put_together_from_the_release_to_the_byte(case: Case, released: Released) -> None:
    document = json.loads((released.folder / "evidence.json").read_bytes())
    assert canonical_json(original(document)) == (case.run.folder / "evidence.json").read_bytes()


def test_the_verdict_lists_its_waivers_and_a_reader_of_the_image_asks_for_them(case: Case, released: Released) -> None:
    files = {path.name: path.read_bytes() for path in released.folder.iterdir()}
    waiver = files[run_folder.waiver(released.evidence.waivers[0].sha256)]
    trust = case.demands().trust

    def check(*waivers: bytes, now: str = TODAY) -> bool:
        companions = Companions(files[run_folder.RELEASE], files[run_folder.VERDICT], waivers=waivers)
        return verify(files[run_folder.IMAGE], trust=trust, companions=companions, now=now).shows_the_verdict

    assert check(waiver)
    for waivers, now, code in (((), TODAY, "waiver.missing"), ((waiver,), ENDS, "waiver.expired")):
        with pytest.raises(RejectedError) as caught:
            check(*waivers, now=now)
        assert caught.value.code == code


def test_the_summary_for_policy_engines_does_not_call_a_waived_stage_passed(released: Released) -> None:
    envelope = (released.folder / run_folder.SUMMARY).read_bytes()
    said = json.loads(dsse.unverified_payload(envelope, where="summary"))["predicate"]["properties"]
    assert "AUDIT_VERDICT_PASS" in said
    assert "AUDIT_PRIVACY_PASS" in said
    assert "AUDIT_FAIRNESS_PASS" not in said


def test_a_release_still_needs_its_approvals(case: Case) -> None:
    case.waive()
    assert case.refusal(case.release().folder) == "gate.unapproved"


# What is not enough: nothing is entered, nothing is sealed.


def test_without_a_waiver_nothing_is_released(case: Case) -> None:
    assert "release.not-enough" in not_released(case)


def test_one_person_waives_nothing(case: Case) -> None:
    case.waive("ann")
    assert "1 of the trusted keys signed" in not_released(case)


def test_one_key_twice_is_one_key(case: Case) -> None:
    case.waive("ann", "ann")
    assert "1 of the trusted keys signed" in not_released(case)


def test_one_key_under_two_ids_is_one_key(case: Case) -> None:
    """One person signs twice, and calls the second signature somebody else's."""
    payload = case.waiver()
    body = sign_entry(payload, person("ann"), WAIVER_TYPE)
    envelope = json.loads(body["envelope"])
    bob = fingerprint(person("bob").public)
    envelope["signatures"].append({**envelope["signatures"][0], "keyid": bob})
    case.enter("waiver", body)
    case.enter("waiver", {**body, "signer": bob, "envelope": canonical_json(envelope).decode()})
    assert "1 of the trusted keys signed" in not_released(case)


def test_one_key_that_is_trusted_twice_is_one_key(case: Case) -> None:
    ann = person("ann").public
    case.waive("ann", "ann")
    twice = Quorum((ann, ann, person("bob").public), 2)
    assert "1 of the trusted keys signed" in not_released(case, trust=replace(case.demands().trust, waiver=twice))


def test_the_author_of_the_policy_waives_nothing(case: Case) -> None:
    case.waive("ann", "author")
    assert "1 of the trusted keys signed" in not_released(case)


def test_whoever_signs_the_release_waives_nothing(case: Case) -> None:
    maker, ann = case.maker, person("ann")
    payload = case.waiver()
    for signer in (maker, ann):
        case.enter("waiver", sign_entry(payload, signer, WAIVER_TYPE))
    waivers = Quorum((maker.public, ann.public, person("bob").public), 2)
    assert "release.not-enough" in not_released(case, trust=replace(case.demands().trust, waiver=waivers))


def test_nobody_is_trusted_to_waive_where_no_trust_file_says_so(case: Case, world: World) -> None:
    case.waive()
    assert "nobody is trusted to waive" in not_released(case, trust=world.trust)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expires": "2026-01-02T12:00:00Z"}, "ended"),
        ({"issued": "2026-01-04T00:00:00Z"}, "still to come"),
        ({"expires": "2026-12-01T00:00:00Z"}, "within 180 days"),
        ({"limit": 0.99}, "not enough"),
        ({"limit": 1.0}, "not enough"),
        ({"model": "aa" * 32}, ""),
        ({"policy": "aa" * 32}, ""),
        ({"group": "sex=female"}, "found nothing under"),
        ({"rule": "fairness[0]"}, "PASS at its limit"),
        ({"rule": "privacy[0]"}, "PASS at its limit"),
        ({"rule": "target"}, ""),
    ],
)
def test_a_waiver_of_something_else_waives_nothing(case: Case, changes: dict[str, Any], said: str) -> None:
    case.waive(**changes)
    reason = not_released(case)
    assert "release.not-enough" in reason
    assert said in reason


def test_an_entry_that_says_another_thing_than_was_signed_waives_nothing(case: Case) -> None:
    for name in ("ann", "bob"):
        body = sign_entry(case.waiver(limit=0.99), person(name), WAIVER_TYPE)
        case.enter("waiver", body | {"limit": 0.5})
    assert "release.not-enough" in not_released(case)


def test_a_run_that_passed_needs_no_release(world: World, reviewed: Shipped, tmp_path: Path) -> None:
    case = Case(world, reviewed, tmp_path, world.folder / "reviewed.yaml")
    case.waive()
    assert "release.passed" in not_released(case)


def test_another_policy_than_the_one_it_was_judged_by_releases_nothing(case: Case, world: World) -> None:
    case.waive()
    case.policy = world.policy
    assert "gate.other-policy" in not_released(case)


def test_a_withdrawn_run_is_not_released(case: Case) -> None:
    case.waive()
    case.revoke(case.run, at=THEN)
    assert "gate.revoked" in not_released(case)


def test_a_run_whose_record_does_not_hold_is_not_released(case: Case) -> None:
    case.waive()
    copy = case.place / "copy"
    shutil.copytree(case.run.folder, copy)
    (copy / "model.tflite").write_bytes((copy / "model.tflite").read_bytes() + b"\0")
    case.run = Shipped(case.run.evidence, copy)
    assert "gate.digest" in not_released(case)


def test_the_measured_run_keeps_its_name(case: Case) -> None:
    case.waive()
    with pytest.raises(InputError) as caught:
        case.release("too-hard")
    assert caught.value.code == "run.known"


def test_a_release_spends_its_counter(case: Case, released: Released) -> None:
    with pytest.raises(InputError) as caught:
        case.release("again")
    assert caught.value.code == "seal.counter-not-risen"
    assert "ship again with a higher one, and waive again" in str(caught.value.hint)


# What the gate asks again, on its own day.


def test_a_waiver_that_has_ended_stops_the_gate(case: Case, released: Released) -> None:
    case.gate(released.folder, now="2026-05-31T23:59:59Z")
    assert case.refusal(released.folder, now=ENDS) == "waiver.expired"


@pytest.mark.parametrize(("now", "days"), [("2026-05-18T00:00:00Z", 14), ("2026-05-31T23:00:00Z", 0)])
def test_a_waiver_that_ends_soon_is_named(case: Case, released: Released, now: str, days: int) -> None:
    (warning,) = case.gate(released.folder, now=now).told.warnings
    assert f"ends {ENDS}, in {days} days" in warning
    assert case.gate(released.folder, now="2026-05-17T00:00:00Z").told.warnings == ()


def test_a_waiver_that_nothing_rests_on_is_named(case: Case) -> None:
    case.waive()
    unused = case.waive(limit=0.4)
    done = case.release()
    assert any("tighter" in line for line in done.left_over)
    case.approve_all(done)
    (warning,) = case.gate(done.folder).told.warnings
    assert unused[:16] in warning


def test_an_approver_whose_key_was_revoked_takes_the_waiver_along(case: Case, released: Released) -> None:
    without_bob = Quorum((person("ann").public, person("eve").public), 2)
    trust = replace(case.demands().trust, waiver=without_bob)
    assert case.refusal(released.folder, trust=trust) == "waiver.signature"


def test_a_third_signature_is_no_harm_and_one_key_fewer_none_while_two_are_left(case: Case) -> None:
    case.waive("ann", "bob", "eve")
    done = case.release()
    case.approve_all(done)
    assert len(done.evidence.waivers[0].approvers) == 3
    two = Quorum((person("ann").public, person("eve").public), 2)
    case.gate(done.folder, trust=replace(case.demands().trust, waiver=two))


def test_a_signature_that_comes_after_the_verdict_does_not_mend_it(case: Case) -> None:
    """Whoever holds every key of the maker seals under one signature, and has the second added later."""
    one_is_enough = Quorum(tuple(person(name).public for name in ("ann", "bob")))
    payload = case.waiver()
    case.sign_waiver(payload, "ann")
    done = case.release(trust=replace(case.demands().trust, waiver=one_is_enough))
    case.approve_all(done)
    assert case.refusal(done.folder) == "waiver.signature"
    case.sign_waiver(payload, "bob", at=THEN)
    assert case.refusal(done.folder) == "waiver.signature"


def test_a_waiver_that_comes_after_the_verdict_is_none(case: Case, released: Released) -> None:
    """The same by evidence that lists a waiver which nobody had signed yet."""
    late = case.waiver(limit=0.3)
    case.sign_waiver(late, "ann", "bob", at=THEN)

    def list_it(document: dict[str, Any]) -> None:
        document["waivers"][0].update(sha256=sha256_hex(late), limit=0.3)

    assert case.refusal(forged(case, changed(released, list_it), released)).startswith(
        ("gate.", "release.", "verdict.")
    )


def test_whoever_was_to_be_asked_later_has_not_signed_before(case: Case, released: Released) -> None:
    """A trail in which the second signature comes after the verdict: the verdict rested on one."""
    entries = []
    with Trail.open(case.trail, create=False) as trail:
        entries = list(trail.entries())
    second = [entry for entry in entries if entry.kind == "waiver"][1]
    order = [entry for entry in entries if entry is not second] + [second]
    place = case.place / "other"
    place.mkdir()
    with Trail.open(place / "audit.db") as trail:
        for entry in order:
            trail.append(entry.kind, run=entry.run, at=THEN, body=entry.body)
    case.trail = str(place / "audit.db")
    with pytest.raises(RejectedError):
        case.gate(released.folder)


def test_a_withdrawal_of_the_measured_run_stops_what_was_made_of_it(case: Case, released: Released) -> None:
    case.revoke(case.run)
    assert case.refusal(released.folder) == "gate.revoked"


def forged(case: Case, document: dict[str, Any], released: Released) -> Path:
    """The release with other evidence, of which whoever holds the key of verdicts signed a verdict."""
    folder = case.place / "forged"
    shutil.copytree(released.folder, folder)
    evidence = Evidence.model_validate_json(json.dumps(document))
    (folder / "evidence.json").write_bytes(evidence.canonical())
    (folder / "verdict.dsse.json").write_bytes(dsse.sign(verdict_payload(evidence.to_json()), [case.maker]))
    return folder


def changed(released: Released, change: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((released.folder / "evidence.json").read_bytes())
    change(document)
    evidence = Evidence.model_validate_json(json.dumps(document))
    policy = load_policy(released.folder / "policy.yaml").value
    verdict = decide(evidence.findings, policy, evidence.waivers)
    return {**document, "verdict": verdict.model_dump(mode="json")}


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(waivers=[]),
        lambda document: document.update(origin=None),
        lambda document: document["waivers"][0].update(limit=0.4),
        lambda document: document["waivers"][0].update(expires="2027-06-01T00:00:00Z"),
        lambda document: document["waivers"][0].update(reason="none"),
        lambda document: document["waivers"][0].update(approvers=["ab" * 32]),
        lambda document: document["waivers"][0].update(sha256="ab" * 32),
        lambda document: document["waivers"].append({**document["waivers"][0], "sha256": "ab" * 32}),
        lambda document: document["origin"]["run"].update(id="sealed"),
        lambda document: document["origin"]["run"].update(id="released"),
        lambda document: document["origin"]["run"].update(created="2026-01-01T00:00:00Z"),
        lambda document: document["origin"]["verdict"].update(outcome="PASS"),
        lambda document: document["origin"]["trail"].update(policy_index=1),
        lambda document: document["findings"][6].update(outcome="PASS"),
        lambda document: document["run"].update(id="too-hard"),
    ],
)
def test_edited_evidence_does_not_get_through_whoever_signed_it(case: Case, released: Released, change: Any) -> None:
    folder = forged(case, changed(released, change), released)
    with pytest.raises(AuditError) as caught:
        case.gate(folder)
    assert caught.value.exit_code in (1, 2)


def test_a_waiver_of_the_same_rule_does_not_reach_another_model(case: Case, released: Released, world: World) -> None:
    """The envelope is taken from the trail, and says which model it is for."""
    assert policy_text(floor="0.9999") == (world.folder / "too-hard.yaml").read_text()
    payload = case.waiver(model="aa" * 32)
    case.sign_waiver(payload, "ann", "bob", at="2026-01-06T00:00:00Z")
    assert case.gate(released.folder).told.warnings == ()
