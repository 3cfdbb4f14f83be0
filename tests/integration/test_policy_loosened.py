"""A policy that was loosened after a FAIL: in the evidence, in the log, on the page, and drawn again by the gate."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_world import World, carry_out, trail_of

from audit_pipeline import inputs
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.evidence import DataPart, Evidence
from audit_pipeline.gate.files import read_run
from audit_pipeline.gate.history import check_history
from audit_pipeline.gate.judge import gate
from audit_pipeline.measurement import Part
from audit_pipeline.policy.load import load_recorded_policy
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.log import Trail


@pytest.fixture(scope="module")
def loosened(world: World, refused: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Shipped by looser limits after the same policy's run `refused`, in a copy of its trail."""
    place = tmp_path_factory.mktemp("loosened") / "place"
    shutil.copytree(Path(trail_of(refused)).parent, place)
    request = world.request("loosened", place)
    return carry_out(request)


def test_it_is_told_with_the_run_and_the_limits(refused: Shipped, loosened: Shipped) -> None:
    changed = loosened.evidence.policy.changed
    assert changed is not None
    assert (changed.run, changed.sha256, changed.outcome) == ("refused", refused.evidence.policy.sha256, "FAIL")
    assert [(edit.path, edit.groups, edit.before, edit.after, edit.effect) for edit in changed.edits] == [
        ("fairness.recall[alarm].max_drop", ("overall", "sex"), 0.1, 0.2, "loosened"),
        ("fairness.accuracy.min", ("overall",), 0.9999, 0.6, "loosened"),
    ]


def test_it_is_in_the_log_before_anything_was_measured(loosened: Shipped) -> None:
    with Trail.open(trail_of(loosened), create=False) as trail:
        first = next(trail.entries("loosened"))
    assert loosened.evidence.policy.changed is not None
    assert first.body["changed"] == loosened.evidence.policy.changed.to_json()
    assert first.body["rules"]["fairness"] == loosened.evidence.policy.document["fairness"]
    assert "signer" not in str(first.body)


def test_it_is_on_the_page_and_holds_at_the_gate(world: World, loosened: Shipped) -> None:
    for page in ("report.html", "report.md"):
        text = (loosened.folder / page).read_text()
        assert "The policy was loosened after run refused ended in FAIL" in text
        assert "largest drop of recall of alarm, in overall, sex: 0.1 → 0.2" in text
    assert gate(loosened.folder, trail_of(loosened), world.demands()).evidence.seal is not None


@pytest.mark.parametrize(
    "told",
    [
        {"changed": None},
        {"changed": {"outcome": "PASS"}},
        {"changed": {"run": "another"}},
        {"changed_before": True},
    ],
    ids=["hidden", "after a PASS", "of another run", "one too many"],
)
def test_evidence_that_tells_it_otherwise_is_refused(loosened: Shipped, told: dict[str, Any]) -> None:
    run = read_run(loosened.folder)
    policy = run.evidence.policy
    changed = policy.changed
    assert changed is not None
    if told.get("changed"):
        told = {"changed": changed.model_copy(update=told["changed"])}
    elif "changed_before" in told:
        told = {"changed_before": ({"run": "x", "change": changed},)}
    forged = PolicyPart.model_validate({**policy.model_dump(by_alias=True), **told})
    evidence = run.evidence.model_copy(update={"policy": forged})
    with Trail.open(trail_of(loosened), create=False) as trail, pytest.raises(RejectedError) as caught:
        assert evidence.trail is not None
        check_history(replace(run, evidence=evidence), trail.entries, evidence.trail.policy_index)
    assert caught.value.code == "gate.policy-history"


def test_a_release_holds_though_the_policy_before_it_was_taken_out_of_the_log(
    world: World, loosened: Shipped, tmp_path: Path
) -> None:
    shutil.copytree(Path(trail_of(loosened)).parent, tmp_path / "place")
    signer = Signer.of(Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
    with Trail.open(tmp_path / "place" / "audit.db", create=False) as trail:
        [entry] = trail.entries("refused", "policy")
        trail.redact(entry.index, reason="a name among the answers", signer=signer, at="2026-01-02T00:00:00Z")
    told = gate(loosened.folder, str(tmp_path / "place" / "audit.db"), world.demands()).told
    assert any("is the run's own word" in warning for warning in told.warnings)


def test_evidence_that_tells_nothing_is_no_older_versions_where_a_newer_one_wrote_before(loosened: Shipped) -> None:
    run = read_run(loosened.folder)
    silent = {**run.document, "policy": without(run.document["policy"], "changed", "changed_before")}
    with Trail.open(trail_of(loosened), create=False) as trail, pytest.raises(RejectedError) as caught:
        assert run.evidence.trail is not None
        check_history(replace(run, document=silent), trail.entries, run.evidence.trail.policy_index)
    assert caught.value.code == "gate.policy-history"


def test_what_was_taken_out_before_a_run_lets_it_tell_nothing_else(loosened: Shipped, tmp_path: Path) -> None:
    """As a run that begins now, by the same policy, and tells of a change that it did not make."""
    place = Path(shutil.copytree(Path(trail_of(loosened)).parent, tmp_path / "place"))
    signer = Signer.of(Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
    with Trail.open(place / "audit.db") as trail:
        at = trail.entry(trail.head().size - 1).at
        other = trail.append("policy", "other", at, {"name": "another", "sha256": "0" * 64, "changed": None}).entry
        trail.redact(other.index, reason="a name", signer=signer, at=at)
        with pytest.raises(RejectedError) as caught:
            check_history(read_run(loosened.folder), trail.entries, trail.head().size)
    assert caught.value.code == "gate.policy-history"


def older_policy(part: dict[str, Any]) -> dict[str, Any]:
    """What a version wrote that neither asked for the last two answers nor held policies against each other."""
    document = part["document"]
    answers = without(document["human_centred"], "never_record", "author")
    data = without(document["data"], "lawful_basis_required")
    return {
        **without(part, "changed", "changed_before"),
        "document": {**document, "human_centred": answers, "data": data},
    }


def older_data(part: dict[str, Any]) -> dict[str, Any]:
    return without(part, "lawful_basis", "retention_until")


def older_evidence(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "policy": older_policy(document["policy"]), "data": older_data(document["data"])}


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def test_a_run_of_an_older_version_still_holds_at_the_gate(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its policy answered fewer questions, and its entries hold less."""
    policy = world.folder / "of-an-older-version.yaml"
    lines = (world.policy.read_text().replace("min: 0.6", "min: 0.9999")).splitlines(keepends=True)
    policy.write_text("".join(line for line in lines if not line.startswith(("  never_record", "  author"))))
    to_json = Part.to_json
    with monkeypatch.context() as earlier:
        for part, older in ((PolicyPart, older_policy), (DataPart, older_data), (Evidence, older_evidence)):
            earlier.setattr(part, "to_json", lambda value, older=older: older(to_json(value)))
        earlier.setattr(inputs, "load_policy", load_recorded_policy)
        shipped = carry_out(replace(world.request("older", tmp_path), policy=policy))
    with Trail.open(tmp_path / "audit.db", create=False) as trail:
        first, data = list(trail.entries("older"))[:2]
    assert (set(first.body), set(data.body)) == ({"name", "sha256", "human_centred"}, {"name", "sha256"})
    assert not {"never_record", "author"} & set(first.body["human_centred"])
    assert gate(shipped.folder, str(tmp_path / "audit.db"), world.demands()).evidence.verdict.outcome == "FAIL"
    with pytest.raises(InputError, match="never_record: missing key"):
        carry_out(replace(world.request("newer", tmp_path), policy=policy))
