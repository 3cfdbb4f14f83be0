"""A sealed run passes the gate once as many people of each role have approved it as its policy demands."""

from __future__ import annotations

from pathlib import Path

import pytest
from people_world import THEN, Case, one_key_for_all, person, verdict_sha256
from small_world import World

from audit_pipeline.cli.next_steps import say_next_steps
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL
from audit_pipeline.people.approval import APPROVAL_TYPE, Approval
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.signed_entry import sign_entry


@pytest.fixture
def case(world: World, reviewed: Shipped, tmp_path: Path) -> Case:
    return Case(world, reviewed, tmp_path, world.folder / "reviewed.yaml")


def test_a_pass_is_sealed_and_waits_for_its_approvals(case: Case) -> None:
    assert case.run.evidence.seal is not None
    assert case.refusal() == "gate.unapproved"
    case.approve("carl", "clinical")
    assert case.refusal() == "gate.unapproved"
    case.approve("dora", "privacy")
    checks = case.gate().told.checks
    assert "approved by 1 of clinical, none of them its author" in checks
    assert "approved by 1 of privacy, none of them its author" in checks


def test_neither_the_author_nor_whoever_signs_the_release_approves(case: Case) -> None:
    case.approve("dora", "privacy")
    case.approve("author", "clinical")
    assert case.refusal() == "gate.unapproved"
    approvers = {**case.demands().approvers, "clinical": (case.maker.public,)}
    assert case.refusal(approvers=approvers) == "gate.unapproved"


def test_one_key_that_has_every_role_approves_nothing(case: Case) -> None:
    maker = case.maker
    name, model = case.run.evidence.run.id, case.run.evidence.candidate.sha256
    for role in ("clinical", "privacy"):
        approval = Approval(run=name, role=role, reason="mine", at=THEN, email_sha256=None)
        payload = run_payload(
            APPROVAL_TYPE, approval, verdict_sha256=verdict_sha256(case.run.folder), model_sha256=model
        )
        case.enter("approval", sign_entry(payload, maker, APPROVAL_TYPE), at=THEN)
    demands = one_key_for_all(case.demands(), maker)
    assert case.refusal(trust=demands.trust, approvers=demands.approvers) == "gate.unapproved"


def test_a_key_approves_in_its_own_role_alone_and_once(case: Case) -> None:
    case.approve("carl", "clinical")
    case.approve("carl", "privacy")
    assert case.refusal() == "gate.unapproved"
    case.approve("nobody-known", "privacy")
    assert case.refusal() == "gate.unapproved"


def test_a_key_that_was_taken_out_of_its_role_approves_nothing_any_more(case: Case) -> None:
    case.approve_all()
    case.gate()
    approvers = {**case.demands().approvers, "privacy": (person("somebody-new").public,)}
    assert case.refusal(approvers=approvers) == "gate.unapproved"


def test_without_a_trust_file_nobody_approves(case: Case) -> None:
    case.approve_all()
    assert case.refusal(approvers={}) == "gate.unapproved"


def test_an_approval_of_another_run_is_none_of_this_one(case: Case, sealed: Shipped) -> None:
    case.approve("carl", "clinical", run=sealed)
    case.approve("dora", "privacy")
    assert case.refusal() == "gate.unapproved"


def test_an_approval_that_says_another_thing_than_was_signed_stops_the_gate(case: Case) -> None:
    case.approve_all()
    case.gate()
    name, model = case.run.evidence.run.id, case.run.evidence.candidate.sha256
    approval = Approval(run=name, role="clinical", reason="honest", at=THEN, email_sha256=None)
    payload = run_payload(APPROVAL_TYPE, approval, verdict_sha256="1" * 64, model_sha256=model)
    body = sign_entry(payload, person("cleo"), APPROVAL_TYPE)
    case.enter("approval", body | {"reason": "something else"}, at=THEN)
    assert case.refusal() == "approval.copy"


def test_a_withdrawn_run_never_passes_again_whoever_withdrew_it(case: Case) -> None:
    case.approve_all()
    case.gate()
    case.revoke(case.run, by="a-stranger")
    assert case.refusal() == "gate.revoked"


def test_a_withdrawal_that_nobody_can_read_stops_the_gate_as_well(case: Case) -> None:
    case.approve_all()
    case.enter("revocation", {"reason": "unsigned"}, at=THEN)
    assert case.refusal() == "gate.revoked"


def test_an_incident_stops_nothing(case: Case) -> None:
    case.approve_all()
    case.enter("incident", {"kind": "false-alarm"}, at=THEN)
    case.gate()


def test_the_gate_says_what_nobody_asked_for(case: Case, sealed: Shipped) -> None:
    case.approve_all()
    gated = case.gate()
    said = " ".join(gated.told.not_demanded)
    for option in ("--log-key", "--witness", "--checkpoint", "--policy"):
        assert option in said
    assert "approvals" not in said
    assert gated.told.warnings == ()


def test_that_a_policy_demands_no_approval_is_said(world: World, sealed: Shipped, tmp_path: Path) -> None:
    assert "approvals: the policy demands none" in Case(world, sealed, tmp_path, world.policy).gate().told.not_demanded


def test_whoever_ships_is_told_which_approvals_are_still_to_come(
    case: Case, sealed: Shipped, capsys: pytest.CaptureFixture[str]
) -> None:
    say_next_steps(case.run.evidence, case.run.folder, DEFAULT_TRAIL)
    told = capsys.readouterr().err
    assert "once it is approved by 1 of clinical, 1 of privacy" in told
    assert f"audit approve {case.run.folder} --role clinical" in told
    assert "--key KEY --trust FILE --root KEY" in told
    root = Path("root.pub.pem")
    say_next_steps(case.run.evidence, case.run.folder, Place("log.db"), trust=Path("trust.yaml"), roots=[root])
    assert "--trust trust.yaml --root root.pub.pem --trail log.db" in capsys.readouterr().err
    say_next_steps(sealed.evidence, sealed.folder, DEFAULT_TRAIL)
    assert capsys.readouterr().err == ""
