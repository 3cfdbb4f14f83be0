"""A limit that is loosened after a run failed by it is seen as that, whatever was tried in between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.journal import Journal
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.trail.log import Trail

NOW = "2026-01-01T00:00:00Z"
MODEL = "a" * 64


def policy(limit: float = 0.05, *, name: str = "small", answer: str = "tests") -> PolicyPart:
    return PolicyPart(
        name=name,
        file="fair.yaml",
        sha256=sha256_hex(f"{limit} {name} {answer}".encode()),
        document={
            "human_centred": {"intended_use": answer},
            "fairness": [{"metric": "accuracy", "max_drop": limit, "groups": ["overall"]}],
        },
    )


class Runs:
    """A trail, and runs in it that come to what they are told."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    def run(self, name: str, part: PolicyPart, outcome: str | None = None, model: str = MODEL) -> PolicyPart:
        known = Journal(self.trail, name, lambda: NOW).begin(part, model)[1]
        self.enter("model", name, {"sha256": model})
        if outcome == "aborted":
            self.enter("aborted", name, {"code": "x"})
        elif outcome is not None:
            self.enter("findings", name, {"counts": {"FAIL": int(outcome == "FAIL")}})
            self.enter("verdict", name, {"outcome": "PASS" if outcome == "sealed" else outcome})
        if outcome == "sealed":
            self.enter("seal", name, {"image_sha256": "0" * 64})
        return known

    def enter(self, kind: Any, name: str, body: dict[str, Any]) -> None:
        self.trail.append(kind, run=name, at=NOW, body=body)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Trail.open(tmp_path / "audit.db") as trail:
        yield Runs(trail)


def loosened(part: PolicyPart) -> list[tuple[str, str | None, float, float]]:
    """Run and outcome that a policy was loosened after, and the limit before and after."""
    changed = part.changed
    return [(changed.run, changed.outcome, e.before, e.after) for e in changed.loosened] if changed else []


def test_a_first_policy_has_no_change(runs: Runs) -> None:
    assert runs.run("a", policy()).changed is None


def test_the_same_policy_again_has_no_change(runs: Runs) -> None:
    runs.run("a", policy(), "FAIL")
    assert runs.run("b", policy()).changed is None


@pytest.mark.parametrize("outcome", ["FAIL", "INCONCLUSIVE", "PASS", "aborted", None])
def test_a_limit_loosened_after_a_run_is_shown_with_what_the_run_came_to(runs: Runs, outcome: str | None) -> None:
    runs.run("a", policy(0.05), outcome)
    assert loosened(runs.run("b", policy(0.1))) == [("a", outcome, 0.05, 0.1)]


def test_a_broken_off_run_in_between_hides_nothing(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    runs.run("b", policy(0.1), "aborted")
    runs.run("c", policy(0.1))
    assert loosened(runs.run("d", policy(0.1))) == [("a", "FAIL", 0.05, 0.1)]


def test_whoever_may_write_cannot_enter_later_that_a_failed_run_passed(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    runs.enter("verdict", "a", {"outcome": "PASS"})
    assert loosened(runs.run("b", policy(0.1))) == [("a", "FAIL", 0.05, 0.1)]


def test_whoever_may_write_cannot_enter_later_that_a_failed_run_was_judged_by_a_looser_policy(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    [entered] = runs.trail.entries("a", "policy")
    looser = {**entered.body["rules"], "fairness": policy(0.1).document["fairness"]}
    runs.enter("policy", "a", {**entered.body, "rules": looser})
    assert loosened(runs.run("b", policy(0.1))) == [("a", "FAIL", 0.05, 0.1)]


def test_a_run_killed_when_its_findings_were_known_has_failed(runs: Runs) -> None:
    runs.run("a", policy(0.05))
    runs.enter("findings", "a", {"counts": {"FAIL": 1, "PASS": 3}})
    runs.enter("aborted", "a", {"code": "KeyboardInterrupt"})
    assert loosened(runs.run("b", policy(0.1))) == [("a", "FAIL", 0.05, 0.1)]


def test_a_change_is_carried_along_until_a_release_is_sealed(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    runs.run("b", policy(0.1), "PASS")
    released = runs.run("c", policy(0.1), "sealed")
    assert released.changed is None
    assert [(made.run, made.change.run, made.change.outcome) for made in released.changed_before] == [
        ("b", "a", "FAIL")
    ]
    after = runs.run("d", policy(0.1), "PASS")
    assert (after.changed, after.changed_before) == (None, ())


def test_steps_of_loosening_are_all_told(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    runs.run("b", policy(0.1), "FAIL")
    last = runs.run("c", policy(0.15))
    assert loosened(last) == [("b", "FAIL", 0.1, 0.15)]
    assert [made.change.run for made in last.changed_before] == ["a"]


def test_a_seal_that_broke_off_is_no_release(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    runs.run("b", policy(0.1), "sealed")
    runs.enter("aborted", "b", {"code": "run.exists"})
    assert [made.run for made in runs.run("c", policy(0.1)).changed_before] == ["b"]


def test_policies_of_another_name_and_model_are_no_history(runs: Runs) -> None:
    runs.run("a", policy(0.05, name="other"), "FAIL", model="b" * 64)
    assert runs.run("b", policy(0.1)).changed is None


def test_a_new_name_alone_does_not_begin_anew(runs: Runs) -> None:
    """The model is the same: the policy it failed by is what this one is held against."""
    runs.run("a", policy(0.05, name="other"), "FAIL")
    renamed = runs.run("b", policy(0.1), "PASS")
    assert loosened(renamed) == [("a", "FAIL", 0.05, 0.1)]
    assert renamed.changed is not None
    assert renamed.changed.name == "other"
    assert runs.run("c", policy(0.1)).changed is None  # its own name is known by now


def test_a_policy_follows_those_of_its_own_name_first(runs: Runs) -> None:
    runs.run("a", policy(0.05), "FAIL")
    runs.run("b", policy(0.2, name="other"), "FAIL")
    assert loosened(runs.run("c", policy(0.1))) == [("a", "FAIL", 0.05, 0.1)]


def test_an_entry_of_an_older_version_says_that_something_was_changed(runs: Runs) -> None:
    older = policy(0.05)
    body = {"name": "small", "sha256": older.sha256, "human_centred": older.document["human_centred"]}
    runs.enter("policy", "a", body)
    assert runs.run("b", older).changed is None
    changed = runs.run("c", policy(0.1)).changed
    assert changed is not None
    runs.enter("policy", "x", {**body, "name": "answers"})
    changed = runs.run("d", policy(0.1, name="answers", answer="other")).changed
    assert changed is not None
    assert [(edit.path, edit.effect) for edit in changed.edits] == [
        ("human_centred.intended_use", "other"),
        ("rules", "other"),
    ]


def test_what_was_taken_out_of_the_log_stands_in_nobodys_way(runs: Runs) -> None:
    """A policy that is gone can be held against none."""
    signer = Signer.of(Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))

    def take_out(kind: Any, run: str) -> None:
        [entry] = runs.trail.entries(run, kind)
        runs.trail.redact(entry.index, reason="a name in it", signer=signer, at=NOW)

    runs.run("a", policy(0.05), "FAIL")
    runs.run("b", policy(0.1), "FAIL")
    take_out("policy", "b")
    assert loosened(runs.run("c", policy(0.2))) == [("a", "FAIL", 0.05, 0.2)]
    for run in ("a", "c"):
        take_out("policy", run)
    assert runs.run("d", policy(0.3)).changed is None
    take_out("model", "d")
    assert runs.run("e", policy(0.4, name="other")).changed is None


@pytest.mark.parametrize(
    "body",
    [
        {"name": "small"},
        {"name": "small", "sha256": 5, "human_centred": {"intended_use": "else"}, "rules": {}},
        {"name": "small", "sha256": "0" * 64, "human_centred": {}, "rules": {"fairness": ["x"]}},
        {"name": "small", "sha256": "0" * 64, "human_centred": {}, "rules": 5},
    ],
)
def test_an_entry_that_no_run_makes_is_refused(runs: Runs, body: dict[str, Any]) -> None:
    runs.enter("policy", "a", body)
    runs.enter("verdict", "a", {"outcome": "FAIL"})
    with pytest.raises(RejectedError) as caught:
        runs.run("b", policy())
    assert caught.value.code == "trail.policy-entry"
    assert [entry.run for entry in runs.trail.entries(kind="policy")] == ["a"]


def test_of_runs_that_start_at_once_each_sees_those_before_it(tmp_path: Path) -> None:
    """The change is drawn in the transaction that enters it: nobody is held against a policy two before."""

    def begin(number: int) -> None:
        with Trail.open(tmp_path / "audit.db") as trail:
            Journal(trail, f"run-{number}", lambda: NOW).begin(policy(number / 100), MODEL)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(8)))
    with Trail.open(tmp_path / "audit.db", create=False) as trail:
        entries = list(trail.entries(kind="policy"))
    assert len(entries) == 8
    assert entries[0].body["changed"] is None
    assert [entry.body["changed"]["run"] for entry in entries[1:]] == [entry.run for entry in entries[:-1]]
